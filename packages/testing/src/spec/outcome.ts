// outcome.ts: what came of a spec's message, and what the spec says of it. All that came out must be named.
import {
  type Address,
  type AddressRef,
  type CommandFor,
  type Contract,
  type ErrorCode,
  messageType,
  type PlainObject,
  validate,
} from '@interstate/core'
import { type AnyStateMachine, type ContextFrom, matchesState, type OutputFrom } from 'xstate'
import { type Duration, milliseconds, spanInWords } from './duration.ts'
import { isEqual } from './equal.ts'
import { type Place, placeOf, SpecFailure, specInvalid } from './failure.ts'
import type { Happening, Scene, Sent } from './scene.ts'
import { atTestEnd } from './test-end.ts'
import type { SpecEffect, SpecEffectInput, SpecEvent, SpecReply, SpecState } from './types.ts'
import { inWords, told } from './words.ts'

/** What may come out, by what a spec calls it. */
interface Put {
  readonly publishes: readonly unknown[]
  readonly sends: readonly unknown[]
  readonly replies: readonly unknown[]
  readonly starts: readonly unknown[]
  readonly ends: readonly string[]
}
type AnyAddress = Address<unknown, unknown>
type Caller = (...args: never) => unknown

/**
 * What came of it. Each `then` compares at once; what none of them named fails at the end of the test. State, context,
 * timers and stopped effects need not be named: they show in what happens next.
 */
export class SpecOutcome<C, M extends AnyStateMachine> {
  readonly #happening: Happening
  readonly #contract: Contract
  readonly #told: readonly string[]
  /** What no `then` has named yet. */
  #left: Put
  #saysSomething = false
  #isClosed = false

  /** @internal Made by `when`. */
  constructor(before: Scene, happening: Happening, told: readonly string[], place: Place) {
    this.#happening = happening
    this.#contract = before.system.definition.contract
    this.#told = told
    this.#left = putOut(happening)
    atTestEnd(() => void this.#end(place))
  }

  /** The entity is in this state; of nested states the name of a parent is enough. */
  thenState(value: SpecState<M>): this {
    const actual = this.#happening.scene.state?.snapshot.value
    const isSo = actual !== undefined && matchesState(value as never, actual as never)
    return this.#check(isSo, 'is in another state', value, actual, this.thenState)
  }

  /** Its context has these values; what isn't named is not compared. */
  thenContext(expected: Partial<ContextFrom<M>>): this {
    const context = this.#happening.scene.state?.snapshot.context as Record<string, unknown> | undefined
    const named = Object.keys(expected as object).filter((key) => context !== undefined && Object.hasOwn(context, key))
    const actual = context && Object.fromEntries(named.map((key) => [key, context[key]]))
    return this.#check(isEqual(actual, expected), 'has another context', expected, actual, this.thenContext)
  }

  /** It publishes these events and no others, in this order. */
  thenPublishes(...events: readonly SpecEvent<C>[]): this {
    const expected = events.map((event) => received(this.#contract, 'event', event as PlainObject))
    return this.#all('publishes', expected, this.#happening.published, this.thenPublishes)
  }

  /**
   * It sends this command; several to one address come in this order.
   *
   * @param options - `after`: the command is durable-delayed, by exactly so much.
   */
  thenSends<A extends AnyAddress>(to: A, command: CommandFor<A>, options: { readonly after?: Duration } = {}): this {
    const ref = to as unknown as AddressRef
    const message = received(ref.contract, 'command', command as PlainObject)
    const delay = options.after === undefined ? {} : { after: spanInWords(milliseconds(options.after)) }
    const { tenant } = this.#happening.scene
    const expected: Sent = { to: ref.id(tenant), message, ...delay }
    const left = this.#left.sends as readonly Sent[]
    const found = left.find((each) => each.to === expected.to && each.after === expected.after)
    const isSo = found !== undefined && isEqual(found, expected)
    this.#check(isSo, 'does not send that', expected, left, this.thenSends)
    this.#name({ sends: left.filter((each) => each !== found) })
    return this
  }

  /** It gives these replies to whoever asked, in this order. */
  thenReplies(...replies: readonly SpecReply<C>[]): this {
    return this.#all('replies', replies, this.#happening.replies, this.thenReplies)
  }

  /** It starts this effect; without `input` any input will do. */
  thenStarts<S extends SpecEffect<M>>(effect: S, ...input: readonly [SpecEffectInput<M, S>?]): this {
    const left = this.#left.starts as Happening['started']
    const found = left.find((each) => each.effect === effect && (input.length === 0 || isEqual(each.input, input[0])))
    const expected = input.length === 0 ? { effect } : { effect, input: input[0] }
    const actual = left.map(({ effect, input }) => ({ effect, input }))
    this.#check(found !== undefined, 'does not start that effect', expected, actual, this.thenStarts)
    this.#name({ starts: left.filter((each) => each !== found) })
    return this
  }

  /** It stops this effect: nobody waits for its result any longer. */
  thenStops(effect: SpecEffect<M>): this {
    const { stopped } = this.#happening
    return this.#check(stopped.includes(effect), 'does not stop that effect', [effect], stopped, this.thenStops)
  }

  /** It has set a timer of its own that is due after exactly so much time. */
  thenTimer(duration: Duration): this {
    const { timers } = this.#happening
    const ms = milliseconds(duration)
    const actual = timers.map(spanInWords)
    return this.#check(timers.includes(ms), 'sets no such timer', [spanInWords(ms)], actual, this.thenTimer)
  }

  /** It is done, with this output if one is given. */
  thenDone(...output: readonly [OutputFrom<M>?]): this {
    const { status, output: actual } = this.#happening.scene.state?.snapshot ?? {}
    const isSo = status === 'done' && (output.length === 0 || isEqual(actual, output[0]))
    const expected = output.length === 0 ? { status: 'done' } : { status: 'done', output: output[0] }
    return this.#check(isSo, 'is not done like that', expected, { status, output: actual }, this.thenDone)
  }

  /** It does not take the command in this state, and its sender is told so. */
  thenRefused(): this {
    const { outcome, isRefused } = this.#happening
    return this.#ending(isRefused ? outcome : 'rejected', this.thenRefused)
  }

  /** It does not take the message in this state, and `ignores` or its policy says that this is meant so. */
  thenIgnored(): this {
    return this.#ending('ignored', this.thenIgnored)
  }

  /** It stops at the message, until a person decides. */
  thenParked(): this {
    return this.#ending('parked', this.thenParked)
  }

  /** It was done before; the message is accounted for and changes nothing. */
  thenLate(): this {
    return this.#ending('late', this.thenLate)
  }

  /** The event finds no saga, and it starts none. */
  thenUnmatched(): this {
    return this.#ending('unmatched', this.thenUnmatched)
  }

  /** The turn fails with this code. Nothing has changed then, and a host would try it again. */
  thenFails(code: ErrorCode): this {
    return this.#ending(code, this.thenFails)
  }

  /** The message is taken, and nothing comes out: no event, command, reply or effect. */
  thenNothing(): this {
    this.#saysSomething = true
    return this.#end(placeOf(this.thenNothing))
  }

  /** Now, and not at the end of the test: nothing came out that was not named. */
  andNothingElse(): this {
    return this.#end(placeOf(this.andNothingElse))
  }

  /** What else comes out does not matter; that the turn failed or was refused still does. */
  andAnythingElse(): this {
    this.#name({ publishes: [], sends: [], replies: [], starts: [] })
    return this
  }

  #ending(expected: string, from: Caller): this {
    return this.#all('ends', [endingOf(expected)], putOut(this.#happening).ends, from)
  }

  #all(what: keyof Put, expected: readonly unknown[], actual: readonly unknown[], from: Caller): this {
    const phrase = what === 'ends' ? 'ends in another way' : `${what} something else`
    this.#check(isEqual(actual, expected), phrase, expected, actual, from)
    this.#name({ [what]: [] })
    return this
  }

  #check(isSo: boolean, phrase: string, expected: unknown, actual: unknown, from: Caller): this {
    this.#saysSomething = true
    if (isSo) return this
    throw this.#fail(`It ${phrase}.`, expected, actual, placeOf(from))
  }

  #name(named: Partial<Put>): void {
    this.#left = { ...this.#left, ...named }
  }

  #end(place: Place): this {
    if (this.#isClosed) return this
    this.#isClosed = true
    if (!this.#saysSomething) {
      throw specInvalid(`A spec without any then proves nothing: ${this.#told.join(', ').trim()}.`, { place })
    }
    const left = Object.entries(this.#left).filter(([, values]) => values.length > 0)
    if (left.length === 0) return this
    const actual = left.flatMap(([what, values]) => values.map((value: unknown) => `${what} ${inWords(value, 57)}`))
    throw this.#fail('It does more than the spec says.', [], actual, place)
  }

  #fail(what: string, expected: unknown, actual: unknown, place: Place): SpecFailure {
    this.#isClosed = true
    const subject = this.#happening.scene.entity ?? this.#contract.name
    const { failure } = this.#happening
    const ends = putOut(this.#happening).ends.map((ending) => told('so', `it is ${ending}`))
    const details = { told: [...this.#told, ...ends], expected, actual, cause: failure }
    return new SpecFailure({ what: what.replace(/^It/, subject), ...details }, place)
  }
}

function putOut({ published, sent, replies, started, outcome, failure }: Happening): Put {
  const ending = failure?.code ?? (outcome === 'handled' ? undefined : outcome)
  const ends = ending === undefined ? [] : [endingOf(ending)]
  return { publishes: published, sends: sent, replies, starts: started, ends }
}

const endings: Readonly<Record<string, string>> = {
  rejected: 'refused: no transition takes it in this state',
  late: 'late: the entity was done before',
  ignored: 'ignored: no transition takes it, and that is meant so',
  parked: 'parked: no transition takes it, and a person must decide',
  unmatched: 'unmatched: nothing that starts the saga came before',
}

function endingOf(outcome: string): string {
  return endings[outcome] ?? `failed: its turn throws ${outcome}`
}

/** A message as its receiver gets it, after defaults and transforms; one that doesn't fit is shown as it was written. */
function received(of: Contract, section: 'command' | 'event', message: PlainObject): PlainObject {
  try {
    return { type: messageType(message), ...validate(of, section, message) }
  } catch {
    return message
  }
}
