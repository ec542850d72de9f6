/** Which mode a message has for one write: profile, namespace label, the rule's mode, its overrides, weakest first. */
import { type Mode, modes, type Profile, profiles } from '../engine/mode.ts';
import type { Message, Messages } from '../engine/rule.ts';
import { type NamespaceFacts, namespaceTest } from './namespaces.ts';
import { didYouMean } from './problems.ts';
import type { ConfigurationFile, RuleSettings } from './schema.ts';

/** With which a namespace chooses its profile. */
export const profileLabel = 'portcullis.dev/profile';

type ProfileSettings = Pick<ConfigurationFile, 'profile' | 'namespaceProfiles'>;

/** The profile of a namespace, and what to tell of its label if that has no effect. */
export function profileOf(
  { profile, namespaceProfiles }: ProfileSettings,
  { name, labels }: NamespaceFacts,
): { readonly profile: Profile; readonly notice?: string } {
  const label = labels[profileLabel];
  if (label === undefined || namespaceProfiles === 'ignore') return { profile };
  const wanted = profiles.find((one) => one === label);
  const ignored = (why: string) => ({ profile, notice: `label ${profileLabel}=${label} of Namespace ${name} has no effect: ${why}` });
  if (wanted === undefined) return ignored(`it is not one of ${profiles.join(', ')}${didYouMean(label, profiles)}`);
  if (namespaceProfiles === 'stricter' && profiles.indexOf(wanted) < profiles.indexOf(profile))
    return ignored(`the cluster's profile ${profile} is stricter, and a label may only make it stricter`);
  return { profile: wanted };
}

/** The mode that the configuration gives a rule in a namespace; undefined where it says nothing. */
export function configuredMode(settings: RuleSettings | undefined): (namespace: NamespaceFacts) => Mode | undefined {
  if (settings === undefined) return () => undefined;
  const overrides = settings.overrides.map((override) => ({ mode: override.mode, matches: namespaceTest(override) }));
  return (namespace) => overrides.find(({ matches }) => matches(namespace))?.mode ?? settings.mode;
}

/** The verdict of a message. `configured` is what the configuration says of its rule, if anything. */
export function modeOf({ modes: verdicts, severity }: Message<unknown>, profile: Profile, configured: Mode | undefined): Mode {
  const byProfile = profile === 'observe' ? observed(verdicts.guided) : verdicts[profile];
  if (configured === 'deny') return verdicts.strict;
  if (configured === 'warn' && severity === 'info') return milder(byProfile, 'warn');
  return configured ?? byProfile;
}

/** Measured by `guided`, not `strict`, so that no message is heard of in `observe` and lost in the stricter `guided`. */
const observed = (guided: Mode): Mode => (guided === 'off' ? 'off' : 'audit');

const milder = (a: Mode, b: Mode): Mode => (modes.indexOf(a) > modes.indexOf(b) ? a : b);

/** Whether no namespace can bring a message of the rule to speak, whatever its label. */
export function isOffEverywhere(messages: Messages, settings: RuleSettings | undefined, file: ProfileSettings): boolean {
  const configured = [settings?.mode, ...(settings?.overrides ?? []).map(({ mode }) => mode)];
  return Object.values(messages).every((message) =>
    configured.every((one) => reachable(file).every((profile) => modeOf(message, profile, one) === 'off')),
  );
}

function reachable({ profile, namespaceProfiles }: ProfileSettings): readonly Profile[] {
  if (namespaceProfiles === 'any') return profiles;
  return namespaceProfiles === 'ignore' ? [profile] : profiles.slice(profiles.indexOf(profile));
}
