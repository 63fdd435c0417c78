// system.ts: the definitions that are analysed together, each with its chart and what its actions put out.
import { matches } from '../descriptor.ts'
import type { Definition } from '../entity.ts'
import { Chart, type Edge, remembered, type Step } from './chart.ts'
import { type ActionOutput, ActionReader, type Output } from './outputs.ts'

/** A definition, looked into. */
export class Member {
  readonly definition: Definition
  readonly name: string
  readonly chart: Chart
  readonly #reader: ActionReader
  readonly #outputs = new Map<Step, readonly Output[]>()
  readonly #stepsOn = new Map<string, readonly Step[]>()

  constructor(definition: Definition) {
    this.definition = definition
    this.name = definition.name
    this.chart = new Chart(definition.machine)
    this.#reader = new ActionReader(definition.name, definition.machine)
  }

  /** What an action puts out. */
  read(action: unknown): ActionOutput {
    return this.#reader.read(action)
  }

  /** What a step puts out, as far as that shows. */
  outputsOf(step: Step): readonly Output[] {
    return remembered(this.#outputs, step, () =>
      step.actions.flatMap((action) => {
        const output = this.read(action)
        return output === undefined || output === 'opaque' ? [] : [output]
      }),
    )
  }

  /** The steps that a message of this type takes. */
  stepsOn(type: string): readonly Step[] {
    let steps = this.#stepsOn.get(type)
    if (steps === undefined) {
      steps = this.chart.steps.filter(({ edge }) => edge !== undefined && isTakenBy(edge, type))
      this.#stepsOn.set(type, steps)
    }
    return steps
  }

  /** Whether a message that no transition takes is meant to be dropped. */
  drops(type: string): boolean {
    return this.definition.unhandled === 'ignore' || this.definition.ignores.has(type)
  }
}

/** What is seen of a definition alone: a test starts many hosts of it. */
const members = new WeakMap<Definition, Member>()

/** See the file head. */
export class System {
  readonly members: readonly Member[]
  readonly #byName: ReadonlyMap<string, Member>
  readonly #followers = new Map<string, Member[]>()

  constructor(definitions: readonly Definition[]) {
    this.#byName = new Map(
      definitions.map((definition) => [definition.name, remembered(members, definition, () => new Member(definition))]),
    )
    this.members = [...this.#byName.values()]
    for (const member of this.members) {
      for (const event of member.definition.follows.map(qualified)) {
        this.#followers.set(event, [...(this.#followers.get(event) ?? []), member])
      }
    }
  }

  member(name: string | undefined): Member | undefined {
    return name === undefined ? undefined : this.#byName.get(name)
  }

  /** Who follows an event, by its qualified name; once for each way it follows it. */
  followersOf(event: string): readonly Member[] {
    return this.#followers.get(event) ?? []
  }

  /** Whom a message reaches, and by which type it goes there. */
  arrivalsOf({ kind, contract, delayed }: Output, type: string, sender: Member): readonly Arrival[] {
    if (delayed) return []
    switch (kind) {
      case 'command': {
        const to = this.member(contract)
        return to === undefined ? [] : [{ at: to, type }]
      }
      case 'event':
        return [...new Set(this.followersOf(`${sender.name}.${type}`))].map((at) => ({
          at,
          type: `${sender.name}.${type}`,
        }))
      case 'internal':
        return [{ at: sender, type }]
      case 'reply':
      case 'raised':
        return []
    }
  }
}

/** A message as it reaches an entity. */
export interface Arrival {
  readonly at: Member
  readonly type: string
}

/** The name of an event as its followers see it. */
export function qualified({
  contract,
  event,
}: {
  readonly contract: { readonly name: string }
  readonly event: string
}): string {
  return `${contract.name}.${event}`
}

/** Whether a way is taken by messages from entities of this contract. */
export function isFrom({ key }: Edge, contract: string): boolean {
  return key.startsWith(`${contract}.`)
}

/** Whether a way is taken by this message. */
export function isTakenBy({ key }: Edge, type: string): boolean {
  return key !== '' && matches(key, type)
}
