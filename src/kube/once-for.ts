/**
 * The function, which makes its answer once for each object and keeps it for as long as the object is there. Objects of the
 * cluster never change: rules that ask one after the other, and states that have an object in common, share what is made of it.
 */
export function onceFor<K extends object, V extends NonNullable<unknown>>(make: (object: K) => V): (object: K) => V {
  const made = new WeakMap<K, V>();
  return (object) => {
    const known = made.get(object);
    if (known !== undefined) return known;
    const value = make(object);
    made.set(object, value);
    return value;
  };
}
