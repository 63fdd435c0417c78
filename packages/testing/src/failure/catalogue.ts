// catalogue.ts: everything that the kit can find or refuse, with what to do about it.

/** A permanent code: users search for it. Retire a code, never reuse it. */
export type FindingCode =
  | 'ABSTRACTION_HIDES'
  | 'COVERAGE_INVALID'
  | 'COVERAGE_LOW'
  | 'EFFECT_WITHOUT_MODEL'
  | 'EVENTUALLY_NEVER'
  | 'GUARANTEE_BROKEN'
  | 'INVARIANT_BROKEN'
  | 'MESSAGES_LOOP'
  | 'MESSAGE_UNHANDLED'
  | 'NOT_DETERMINISTIC'
  | 'PROPERTY_THREW'
  | 'REPLAY_DIFFERS'
  | 'SAGA_STUCK'
  | 'SEARCH_STOPPED'
  | 'SOMETIMES_NEVER'
  | 'SPEC_FAILED'
  | 'SPEC_INVALID'
  | 'STATE_UNREACHED'
  | 'STIMULI_MISSING'
  | 'SYMMETRY_BROKEN'
  | 'TOKEN_UNREADABLE'
  | 'TURN_FAILED'
  | 'WORLD_INVALID'

/** Every {@link FindingCode} with its remedy. The reference page is generated from this table. */
export const findings: Readonly<Record<FindingCode, string>> = {
  ABSTRACTION_HIDES:
    'Keep in the abstraction what the property looks at: two states that it tells apart were taken for one.',
  COVERAGE_INVALID:
    'Make it of the definitions that run, join only what was measured on them, and ask for percentages from 0 to 100.',
  COVERAGE_LOW: 'Add a spec or a stimulus that takes the machine there, or lower the threshold.',
  EFFECT_WITHOUT_MODEL:
    'Say with .effects({ name: (args) => output }) what the effect comes to; a world has no network.',
  EVENTUALLY_NEVER:
    'From the end of this story it can never come to hold, however fair delivery is. Look for a message or a timeout that nobody sends.',
  GUARANTEE_BROKEN:
    'This is a defect of the runtime or of the store, not of your machines. Report it with the replay token.',
  INVARIANT_BROKEN: 'Follow the story: its last step broke the invariant.',
  MESSAGES_LOOP: 'Messages go round without any input from outside. Let one of the machines stop, or wait for a timer.',
  MESSAGE_UNHANDLED: 'Handle the message in this state, or list it in `ignores` of the definition.',
  NOT_DETERMINISTIC:
    'Take time, chance and ids from turn(), and let effects talk to the outside: a turn may be run again.',
  PROPERTY_THREW: 'A property must hold or not hold of every moment, also before its entities exist.',
  REPLAY_DIFFERS: 'The machines or the world have changed since the token was made: run check or simulate again.',
  SAGA_STUCK: 'Give it a timeout, or a final state; or add the stimulus that would move it on.',
  SEARCH_STOPPED:
    'Nothing wrong was found in what was searched, and not all was searched. Raise the bound, or make the world smaller.',
  SOMETIMES_NEVER:
    'The search never got there, so it proves nothing about it. Add a stimulus that leads there, or raise the bounds.',
  SPEC_FAILED: 'Compare what was expected with what came.',
  SPEC_INVALID: 'Correct the spec; nothing was compared.',
  STATE_UNREACHED: 'Add a stimulus that leads there, raise the bounds, or accept it by name.',
  STIMULI_MISSING: 'Say with .stimuli({ name: [send(...)] }) what comes from outside; without it nothing ever happens.',
  SYMMETRY_BROKEN:
    'The keys are not interchangeable: set-up or stimuli treat them differently. Drop .interchangeable(...) or treat them alike.',
  TOKEN_UNREADABLE: 'Copy the whole token, from `i1:` to its end.',
  TURN_FAILED: 'Mend the machine: in production this message would be tried again and then put away.',
  WORLD_INVALID: 'Correct the world; nothing was searched.',
}
