// events.ts: what happens in the story, and what it says to people.
import type { Totals } from './host.ts'

/** Something that happened. `event` tells which; `--json` prints it. */
export type StoryEvent =
  | { readonly event: 'sharing'; readonly shards: Readonly<Record<string, number>> }
  | { readonly event: 'counted'; readonly admitted: number; readonly totals: Totals; readonly right: boolean }
  | { readonly event: 'killed'; readonly host: string; readonly shards: number }
  | { readonly event: 'missed'; readonly host: string; readonly afterMs: number }
  | { readonly event: 'taken-over'; readonly by: string; readonly shards: number; readonly afterMs: number }
  | { readonly event: 'back'; readonly host: string }
  | { readonly event: 'given-back'; readonly host: string; readonly shards: number; readonly afterMs: number }
  | {
      readonly event: 'summary'
      readonly right: boolean
      readonly admitted: number
      readonly totals: Totals
      /** Calls that visitors made again. */
      readonly repeated: number
      /** Counts taken in between, in which nobody may be found who never came. */
      readonly looks: number
    }

/** An event as a sentence. */
export function sentence(event: StoryEvent): string {
  switch (event.event) {
    case 'sharing': {
      const parts = Object.entries(event.shards).map(([host, shards]) => `${host} runs ${shards}`)
      return `The hosts share the shards: ${parts.join(', ')}.`
    }
    case 'counted': {
      const { admitted, totals, right } = event
      const verdict = right ? 'Right.' : 'WRONG.'
      return `Counted: ${figures(admitted, totals)}. ${verdict}`
    }
    case 'killed':
      return `${event.host} is killed with SIGKILL. Nobody runs its ${event.shards} shards.`
    case 'missed':
      return `${event.host} is missed and struck off, ${seconds(event.afterMs)} after its end.`
    case 'taken-over':
      return `${event.by} runs all ${event.shards} shards, ${seconds(event.afterMs)} after the kill.`
    case 'back':
      return `${event.host} comes back, as a new process.`
    case 'given-back':
      return `${event.host} runs ${event.shards} shards again, ${seconds(event.afterMs)} after it was started.`
    case 'summary':
      return summary(event)
  }
}

function summary({ right, admitted, totals, repeated, looks }: Extract<StoryEvent, { event: 'summary' }>): string {
  const calls = `${count(repeated)} calls were made again, ${count(looks)} looks taken in between`
  return `${figures(admitted, totals)}; ${calls}. ${right ? 'All is right.' : 'It is NOT right.'}`
}

function figures(admitted: number, { doors, halls }: Totals): string {
  return `${count(admitted)} visitors admitted, ${count(doors)} at the doors, ${count(halls)} in the halls`
}

/** A number for people. */
export function count(number: number): string {
  return number.toLocaleString('en')
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
