// property.ts: a property as a world takes it: a name of its own, and a plain answer.
import { WorldError } from '../failure/error.ts'
import type { Property, WorldPlan } from './plan.ts'
import type { WorldView } from './view.ts'

/**
 * A property whose answer is true or false. Anything else, a promise first of all, would pass for true.
 *
 * @throws WorldError `WORLD_INVALID` for a name that the world has, or none.
 */
export function property(plan: WorldPlan, name: string, holds: (w: never) => boolean): Property {
  const names = [...plan.always, ...plan.eventually, ...plan.sometimes].map((each) => each.name)
  if (typeof name !== 'string' || name === '') throw new WorldError('WORLD_INVALID', 'A property has no name.')
  if (names.includes(name)) throw new WorldError('WORLD_INVALID', `Two properties are named "${name}".`)
  return { name, holds: (w: WorldView) => plainAnswer((holds as (w: WorldView) => unknown)(w)) }
}

function plainAnswer(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  const found = answer instanceof Promise ? 'a promise' : `a value of type ${typeof answer}`
  throw new TypeError(`it gave ${found} instead of true or false`)
}
