/** The page's one script: search, filters, groups, copying. Without it every finding is there all the same. */

export const script = `
(() => {
  const $ = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  // The way in is at the left, half way down.
  const center = (one) => { one.scrollTop = (one.scrollHeight - one.clientHeight) / 2; };
  for (const picture of all('.picture')) {
    center(picture);
    picture.parentElement.addEventListener('toggle', () => center(picture), { once: true });
  }
  const list = $('#list');
  if (!list) return;
  const findings = all('.finding');
  const controls = $('#controls');
  const fields = Object.fromEntries(['search', 'severity', 'namespace', 'rule', 'state', 'group'].map((id) => [id, $('#by-' + id)]));
  const texts = new Map(findings.map((one) => [one, one.textContent.toLowerCase()]));
  const order = ['critical', 'high', 'medium', 'low', 'info'];
  const valueOf = (id) => (fields[id] ? fields[id].value : '');

  function regroup() {
    const key = valueOf('group');
    const names = new Map();
    for (const one of findings) {
      const name = key === 'none' ? '' : one.dataset[key];
      names.set(name, [...(names.get(name) || []), one]);
    }
    const rank = (name) => (key === 'severity' ? order.indexOf(name) : 0);
    const sorted = [...names.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    list.replaceChildren(...sorted.map((name) => {
      const section = document.createElement('section');
      section.className = 'group';
      if (key !== 'none') {
        const title = document.createElement('h3');
        title.append(name || 'no namespace', ' ', document.createElement('span'));
        title.lastChild.className = 'soft';
        section.append(title);
      }
      section.append(...names.get(name));
      return section;
    }));
    filter();
  }

  function filter() {
    const words = valueOf('search').toLowerCase().split(/\\s+/).filter(Boolean);
    let hits = 0;
    for (const one of findings) {
      const fits = ['severity', 'namespace', 'rule', 'state'].every((id) => valueOf(id) === '' || one.dataset[id] === valueOf(id).slice(1));
      one.hidden = !(fits && words.every((word) => texts.get(one).includes(word)));
      if (!one.hidden) hits += 1;
    }
    for (const group of all('.group')) {
      const count = group.querySelectorAll('.finding:not([hidden])').length;
      group.hidden = count === 0;
      const label = group.querySelector('h3 span');
      if (label) label.textContent = count;
    }
    $('#hits').textContent = hits === findings.length ? 'All ' + hits + ' findings are shown' : hits + ' of ' + findings.length + ' findings are shown';
    $('#none').hidden = hits > 0;
  }

  const open = (on) => findings.forEach((one) => { one.firstElementChild.open = on; });
  const actions = {
    open: () => open(true),
    close: () => open(false),
    reset: () => { controls.reset(); regroup(); },
  };
  for (const button of all('[data-do]')) button.addEventListener('click', actions[button.dataset.do]);
  for (const link of all('a[data-by]'))
    link.addEventListener('click', () => { fields[link.dataset.by].value = '=' + link.dataset.value; filter(); });
  for (const pre of all('pre')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      getSelection().selectAllChildren(pre);
      try {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = 'Copied';
      } catch {
        button.textContent = 'Selected';
      }
    });
    pre.before(button);
  }
  controls.addEventListener('submit', (event) => event.preventDefault());
  controls.addEventListener('input', (event) => (event.target === fields.group ? regroup() : filter()));
  addEventListener('beforeprint', () => all('details').forEach((one) => { one.open = true; }));
  for (const part of all('.needs-script')) part.hidden = false;
  regroup();
})();
`;
