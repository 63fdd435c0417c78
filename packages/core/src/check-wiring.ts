// check-wiring.ts: what keeps a host from starting: contracts and definitions that don't fit together.
import { matches } from './descriptor.ts'
import type { AnyContract, Definition } from './entity.ts'
import { type Finding, finding } from './finding.ts'
import { statesOf } from './structure.ts'

/** The check of every start: every command sent has a receiver that takes it, every followed event a publisher. */
export function checkWiring(definitions: readonly Definition[]): readonly Finding[] {
  return [
    ...checkNames(definitions),
    ...definitions.flatMap((definition) => checkFollows(definition, definitions)),
    ...definitions.flatMap((definition) => checkSends(definition, definitions)),
    ...definitions.flatMap(checkTransitions),
  ]
}

function checkNames(definitions: readonly Definition[]): Finding[] {
  const names = definitions.map((definition) => definition.name)
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => finding('entity-defined-twice', name, 'Give each entity type one definition.'))
}

function checkFollows(definition: Definition, definitions: readonly Definition[]): Finding[] {
  return definition.follows.flatMap(({ contract, event }) => {
    const place = `${definition.name} follows ${contract.name}.${event}`
    return checkPartner('event-without-publisher', place, contract, definitions)
  })
}

function checkSends(definition: Definition, definitions: readonly Definition[]): Finding[] {
  return definition.sends.flatMap((contract) => {
    const place = `${definition.name} sends to ${contract.name}`
    return checkPartner('command-without-receiver', place, contract, definitions)
  })
}

function checkPartner(
  code: 'event-without-publisher' | 'command-without-receiver',
  place: string,
  contract: AnyContract,
  definitions: readonly Definition[],
): Finding[] {
  const partner = definitions.find((each) => each.name === contract.name)
  if (partner === undefined) return [finding(code, place, `Add the definition of "${contract.name}" to entities.`)]
  if ((partner.contract as AnyContract) === contract) return []
  return [finding('contract-differs', place, 'Import one contract object on both sides instead of declaring it twice.')]
}

function checkTransitions(definition: Definition): Finding[] {
  // Not machine.events: it leaves out a transition that does nothing, which is a way to take a message too.
  const accepted = statesOf(definition.machine.root).flatMap((node) => [...node.transitions.keys()])
  const takes = (type: string): boolean => accepted.some((descriptor) => matches(descriptor, type))
  return Object.keys(definition.contract.commands)
    .filter((command) => !takes(command) && !definition.ignores.has(command))
    .map((command) =>
      finding(
        'command-without-transition',
        `${definition.name} takes ${command}`,
        'Handle it in some state, list it in `ignores`, or drop it from the contract.',
      ),
    )
}
