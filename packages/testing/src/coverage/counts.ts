// counts.ts: how often each thing of one definition was seen. Plain data on the way out, so that several processes can be joined.

/** How often something happened, by name. */
export type Count = Readonly<Record<string, number>>
/** What became of a message. `refused`: no transition took it, and nobody said that it may be ignored. */
export type Fate = 'handled' | 'ignored' | 'refused'

/** The counts of one definition, as JSON. */
export interface CountsData {
  readonly fingerprint: string
  readonly states: Count
  readonly transitions: Count
  readonly passed: Count
  readonly failed: Count
  readonly armed: Count
  readonly fired: Count
  readonly cancelled: Count
  /** By message, state and fate, each on a line of its own: `Charge`, `payment.open`, `handled`. */
  readonly messages: Count
}

const sections = ['states', 'transitions', 'passed', 'failed', 'armed', 'fired', 'cancelled', 'messages'] as const
type Section = (typeof sections)[number]

/** See the file head. */
export class Counts {
  readonly #sections: Readonly<Record<Section, Map<string, number>>> = {
    states: new Map(),
    transitions: new Map(),
    passed: new Map(),
    failed: new Map(),
    armed: new Map(),
    fired: new Map(),
    cancelled: new Map(),
    messages: new Map(),
  }

  add(section: Section, name: string, times = 1): void {
    const counts = this.#sections[section]
    counts.set(name, (counts.get(name) ?? 0) + times)
  }

  of(section: Section, name: string): number {
    return this.#sections[section].get(name) ?? 0
  }

  /** What became of a message in a state. */
  met(message: string, state: string, fate: Fate): void {
    this.add('messages', cell(message, state, fate))
  }

  fate(message: string, state: string, fate: Fate): number {
    return this.of('messages', cell(message, state, fate))
  }

  /** Messages that were seen. */
  messages(): readonly string[] {
    return [...new Set(Array.from(this.#sections.messages.keys(), (key) => key.split('\n')[0] as string))]
  }

  /** Timers that were seen. */
  timers(): readonly string[] {
    const { armed, fired, cancelled } = this.#sections
    return [...new Set([...armed.keys(), ...fired.keys(), ...cancelled.keys()])]
  }

  merge(data: Omit<CountsData, 'fingerprint'>): void {
    for (const section of sections) {
      for (const [name, times] of Object.entries(data[section])) this.add(section, name, times)
    }
  }

  toJSON(): Omit<CountsData, 'fingerprint'> {
    const all = sections.map((section) => [section, Object.fromEntries(this.#sections[section])])
    return Object.fromEntries(all) as Omit<CountsData, 'fingerprint'>
  }
}

/** Whether data from elsewhere is counts. */
export function isCounts(data: unknown): data is CountsData {
  if (typeof data !== 'object' || data === null) return false
  const { fingerprint, ...counts } = data as Partial<CountsData>
  return (
    typeof fingerprint === 'string' &&
    sections.every((section) => {
      const count: unknown = counts[section]
      if (typeof count !== 'object' || count === null || Array.isArray(count)) return false
      return Object.values(count).every((times) => Number.isSafeInteger(times) && times >= 0)
    })
  )
}

function cell(message: string, state: string, fate: Fate): string {
  return `${message}\n${state}\n${fate}`
}
