// accepted.ts: the names by which findings are accepted: a slip in one would accept nothing, without a word.
import { WorldError } from '../failure/error.ts'
import { placesOf } from '../observe/places.ts'
import type { Property, WorldPlan } from './plan.ts'

/** @throws WorldError `WORLD_INVALID` for a name that no finding of this world can have. */
export function checkAccepted(plan: WorldPlan, name: string): void {
  const [code = '', about = ''] = name.split(/ (.*)/s)
  const known = about === '' ? code === 'MESSAGES_LOOP' : namesFor(plan, code)?.(about)
  if (known === true) return
  const what = `No finding of this world is named "${name}". Copy the name that the failure gives as its \`finding\`.`
  throw new WorldError('WORLD_INVALID', what)
}

/** Tells for a code what it may be about. */
function namesFor(plan: WorldPlan, code: string): ((about: string) => boolean) | undefined {
  const { entities } = plan
  const one = (of: readonly Property[]) => (about: string) => of.some(({ name }) => name === about)
  switch (code) {
    case 'STATE_UNREACHED':
      return (about) => entities.some((each) => placesOf(each).states.some(({ name }) => name === about))
    case 'SAGA_STUCK':
      return (about) => entities.some(({ kind, name }) => kind === 'saga' && name === about)
    case 'MESSAGE_UNHANDLED':
    case 'TURN_FAILED':
    case 'MESSAGES_LOOP':
      return (about) => entities.some(({ name }) => about.startsWith(`${name} `))
    case 'INVARIANT_BROKEN':
      return one(plan.always)
    case 'EVENTUALLY_NEVER':
      return one(plan.eventually)
    case 'SOMETIMES_NEVER':
      return one(plan.sometimes)
    default:
      return undefined
  }
}

/** A world without the properties whose failures are accepted. */
export function withoutAccepted(plan: WorldPlan): WorldPlan {
  const left = (of: readonly Property[], code: string): readonly Property[] =>
    of.filter(({ name }) => !plan.accepted.has(`${code} ${name}`))
  return {
    ...plan,
    always: left(plan.always, 'INVARIANT_BROKEN'),
    eventually: left(plan.eventually, 'EVENTUALLY_NEVER'),
    sometimes: left(plan.sometimes, 'SOMETIMES_NEVER'),
  }
}
