// sent-commands.ts: which commands entities send each other, as far as that shows; the others come from outside.
import type { Definition } from '../entity.ts'
import { resolve } from '../hostable.ts'
import { type Member, System } from './system.ts'

/**
 * The commands that some entity of a system sends, as `payment.Charge`. What `enqueueActions` does is looked up in its
 * text; a command whose type is computed there, or elsewhere, does not show.
 */
export function sentCommands(definitions: readonly Definition[]): ReadonlySet<string> {
  return new Set(new System(definitions).members.flatMap(sentBy))
}

function sentBy(member: Member): readonly string[] {
  return member.chart.steps.flatMap((step) => [
    ...member
      .outputsOf(step)
      .filter(({ kind }) => kind === 'command')
      .flatMap(({ contract, types }) => types.map((type) => `${contract}.${type}`)),
    ...step.actions.filter((action) => member.read(action) === 'opaque').flatMap((action) => named(member, action)),
  ])
}

/** Commands of the contracts that it sends to whose names stand in the text of an action. */
function named({ definition: { sends, machine } }: Member, action: unknown): readonly string[] {
  const { collect, event } = (resolve(machine.implementations.actions, action) ?? {}) as Readonly<
    Record<string, unknown>
  >
  const text = `${String(collect)} ${String(event)}`
  return sends.flatMap(({ name, commands }) =>
    Object.keys(commands)
      .filter((type) => new RegExp(`['"\`]${type}['"\`]`).test(text))
      .map((type) => `${name}.${type}`),
  )
}
