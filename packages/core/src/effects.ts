// effects.ts: turns the actions that XState gives as data into what a turn puts out: messages, replies, timers, effects.
import type { AnyActorRef } from 'xstate'
import { type EntityId, type MessageId, parseEntityId } from './address.ts'
import { AddressRef, messageType, ReplyRef, validate } from './contract.ts'
import type { Definition } from './entity.ts'
import { type Asker, askerOf, type Envelope, follow } from './envelope.ts'
import { InterstateError } from './errors.ts'
import { isPromiseLogic, logicOf, notHostable, useIds } from './hostable.ts'
import { turnStem } from './ids.ts'
import { contextLimits, type PlainObject, plainCopy } from './plain.ts'
import { type CollectedAction, scope } from './scope.ts'
import type { EntityState, RunningEffect, Timer } from './state.ts'
import { during, turn } from './turn.ts'
import type { Wiring } from './wiring.ts'

/** A reply to a client outside. */
export interface ClientReply {
  readonly asker: Asker
  readonly reply: PlainObject
}

/** What a turn puts out beside the new state. */
export interface Outputs {
  /** Messages to entities, in the order in which the machine sent them. */
  readonly outbox: readonly Envelope[]
  readonly replies: readonly ClientReply[]
  /** Effects to run after the commit, by their id. */
  readonly started: readonly (readonly [id: string, effect: RunningEffect])[]
  /** Keys of effects that no one waits for any longer. */
  readonly stopped: readonly string[]
  /** Plain custom actions, to be run after the commit, at most once. */
  readonly actions: readonly (() => unknown)[]
  /** Why the sender's command was refused, if it was. */
  readonly refusal: string | undefined
}

/** Turns collected actions into outputs; timers and running effects go into the state. */
export function toOutputs(
  wiring: Wiring,
  definition: Definition,
  state: EntityState,
  message: Envelope,
  actions: readonly CollectedAction[],
): { readonly state: EntityState; readonly outputs: Outputs } {
  // Most turns put out nothing.
  if (actions.length === 0 && isAtRest(state)) return { state, outputs: nothingOut }
  const writer = new OutputWriter(wiring, definition, state, message)
  for (const action of actions) writer.write(action)
  return writer.end()
}

const none: readonly never[] = []
const nothingOut: Outputs = {
  outbox: none,
  replies: none,
  started: none,
  stopped: none,
  actions: none,
  refusal: undefined,
}

/** Whether nothing is to be cancelled at the end of the turn, and nobody can have hidden a child. */
function isAtRest({ snapshot, timers, running }: EntityState): boolean {
  if (snapshot.status === 'done') return isEmpty(timers) && isEmpty(running)
  return isEmpty(snapshot.children)
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false
  return true
}

class OutputWriter {
  readonly #wiring: Wiring
  readonly #definition: Definition
  readonly #before: EntityState
  readonly #message: Envelope
  readonly #outbox: Envelope[] = []
  readonly #replies: ClientReply[] = []
  readonly #stopped: string[] = []
  readonly #actions: (() => unknown)[] = []
  readonly #started = new Map<string, RunningEffect>()
  #timers: Record<string, Timer>
  #running: Record<string, RunningEffect>
  #armed: number
  #stem: string | undefined
  #index = 0

  constructor(wiring: Wiring, definition: Definition, state: EntityState, message: Envelope) {
    this.#wiring = wiring
    this.#definition = definition
    this.#before = state
    this.#message = message
    this.#timers = state.timers as Record<string, Timer>
    this.#running = state.running as Record<string, RunningEffect>
    this.#armed = state.armed
  }

  write(action: CollectedAction): void {
    const params = action.params as never
    switch (action.type) {
      case 'xstate.emit':
        this.#publish(params)
        break
      case 'xstate.sendTo':
        this.#send(params)
        break
      case 'xstate.raise':
        this.#raise(params)
        break
      case 'xstate.cancel':
        this.#cancel((params as { sendId: string }).sendId)
        break
      case 'xstate.spawnChild':
        this.#start(params)
        break
      case 'xstate.stopChild':
        this.#stop((params as AnyActorRef | undefined)?.id)
        break
      default:
        this.#runLater(action)
    }
  }

  end(): { readonly state: EntityState; readonly outputs: Outputs } {
    const { snapshot } = this.#before
    if (snapshot.status === 'done') {
      // XState cancels everything when a machine is done.
      for (const id of Object.keys(this.#running)) this.#stop(id)
      this.#timers = {}
    }
    this.#refuseHiddenChildren()
    const { timers, running, armed } = this.#before
    const isSame = this.#timers === timers && this.#running === running && this.#armed === armed
    return {
      state: isSame
        ? this.#before
        : { ...this.#before, timers: this.#timers, running: this.#running, armed: this.#armed },
      outputs: {
        outbox: this.#outbox,
        replies: this.#replies,
        started: this.#started.size === 0 ? none : [...this.#started],
        stopped: this.#stopped,
        actions: this.#actions,
        refusal: undefined,
      },
    }
  }

  #runLater({ exec, info, params }: CollectedAction): void {
    if (exec === undefined) return
    const taken = turn()
    this.#actions.push(() => during(taken, () => exec(info, params)))
  }

  #publish({ event }: { event: unknown }): void {
    const { contract } = this.#definition
    const data = validate(contract, 'event', event)
    const type = `${contract.name}.${messageType(event)}`
    for (const to of this.#wiring.receiversOf(type, parseEntityId(this.#before.entity), data)) {
      this.#outbox.push(this.#envelope('event', to, type, data, contract.version))
    }
  }

  #send({ to, event, id, delay }: { to: unknown; event: unknown; id?: string; delay?: number }): void {
    if (to instanceof ReplyRef) {
      this.#reply(to, event)
      return
    }
    const envelope = this.#addressed(to, event)
    if (typeof delay === 'number') this.#arm(id ?? envelope.id, delay, { send: envelope })
    else this.#outbox.push(envelope)
  }

  #addressed(to: unknown, event: unknown): Envelope {
    if (to === scope.self) {
      const data = plainCopy(event, `event to itself of ${this.#definition.name}`) as PlainObject
      const { type: _, ...payload } = data
      const { version } = this.#definition.contract
      const envelope = this.#envelope('internal', this.#before.entity, messageType(event), payload, version)
      const asker = this.#laterAsker()
      return asker === undefined ? envelope : { ...envelope, asker }
    }
    if (!(to instanceof AddressRef)) {
      throw notHostable(this.#definition.name, 'a sendTo', 'has no address', 'Write sendTo(Contract.at(key), message).')
    }
    const { contract } = to
    if (
      !this.#definition.sends.some((each) => each.name === contract.name) &&
      contract.name !== this.#definition.name
    ) {
      const what = `"${this.#definition.name}" sends to "${contract.name}", which its \`sends\` does not list.`
      throw new InterstateError('DEFINITION_INVALID', what, { from: this.#definition.name, to: contract.name })
    }
    const data = validate(contract, 'command', event)
    const receiver = to.id(parseEntityId(this.#before.entity).tenant)
    return this.#envelope('command', receiver, messageType(event), data, contract.version)
  }

  #reply({ contract }: ReplyRef, event: unknown): void {
    if (contract.name !== this.#definition.name) {
      const what = `"${this.#definition.name}" gives a reply of contract "${contract.name}".`
      throw new InterstateError('DEFINITION_INVALID', what, { from: this.#definition.name, of: contract.name })
    }
    const asker = askerOf(this.#message)
    if (asker === undefined) {
      const what = `${this.#before.entity} replies to ${this.#message.type}, which nobody sent.`
      throw new InterstateError('DEFINITION_INVALID', what, { entity: this.#before.entity })
    }
    const data = validate(contract, 'reply', event)
    const type = messageType(event)
    if (asker.from === 'client') this.#replies.push({ asker, reply: { type, ...data } })
    else this.#outbox.push(this.#envelope('reply', asker.from, `${contract.name}.${type}`, data, contract.version))
  }

  #raise({ event, id, delay }: { event: unknown; id?: string; delay?: number }): void {
    if (typeof delay !== 'number') return // XState has handled it within the transition.
    const raise = plainCopy(event, `delayed event of ${this.#definition.name}`) as PlainObject
    this.#arm(id ?? this.#nextId(), delay, { raise })
  }

  #arm(id: string, delayMs: number, what: Pick<Timer, 'raise' | 'send'>): void {
    this.#armed += 1
    const due = this.#before.now + Math.ceil(Math.max(0, delayMs))
    if (!Number.isSafeInteger(due)) {
      throw new InterstateError('MACHINE_FAILED', `${this.#before.entity} sets a timer of ${delayMs} ms.`, { id })
    }
    const asker = this.#laterAsker()
    const cause = follow(this.#message)
    const timer: Timer = { generation: this.#armed, due, ...what, cause, ...(asker === undefined ? {} : { asker }) }
    this.#timers = { ...this.#timers, [id]: timer }
  }

  #cancel(id: string): void {
    if (!Object.hasOwn(this.#timers, id)) return
    const { [id]: _, ...timers } = this.#timers
    this.#timers = timers
  }

  #start({
    actorRef,
    src,
    input,
    systemId,
  }: {
    actorRef: AnyActorRef | undefined
    src: unknown
    input: unknown
    systemId?: unknown
  }): void {
    const { name, machine } = this.#definition
    const logic = logicOf(machine, src)
    if (actorRef === undefined || logic === undefined || typeof src !== 'string' || !isPromiseLogic(logic)) {
      throw notHostable(
        name,
        'a spawned child',
        'is no named promise',
        'Name a fromPromise or effect(...) in `actors` of setup.',
      )
    }
    if (systemId !== undefined) throw notHostable(name, `a spawned "${src}"`, 'has a systemId', useIds)
    // XState draws a name from a counter of the process then; no other process would know it.
    if (actorRef.id === actorRef.sessionId) {
      throw notHostable(name, `a spawned "${src}"`, 'has no id', useIds)
    }
    this.#stop(actorRef.id)
    const asker = this.#laterAsker()
    const effect: RunningEffect = {
      key: this.#nextId(),
      src,
      input: input === undefined ? null : plainCopy(input, `input of effect "${src}"`, contextLimits),
      cause: follow(this.#message),
      ...(asker === undefined ? {} : { asker }),
    }
    this.#running = { ...this.#running, [actorRef.id]: effect }
    this.#started.set(actorRef.id, effect)
  }

  #stop(id: string | undefined): void {
    const effect = id !== undefined && Object.hasOwn(this.#running, id) ? this.#running[id] : undefined
    if (id === undefined || effect === undefined) return
    const { [id]: _, ...running } = this.#running
    this.#running = running
    if (!this.#started.delete(id)) this.#stopped.push(effect.key)
  }

  /** `spawn` inside `assign` puts a live reference into the context; it shows as a child that nobody started. */
  #refuseHiddenChildren(): void {
    const { children, status } = this.#before.snapshot
    if (status === 'done') return
    for (const id in children) {
      if (Object.hasOwn(this.#running, id)) continue
      throw notHostable(this.#definition.name, `child "${id}"`, 'was spawned inside assign', useIds)
    }
  }

  #envelope(kind: Envelope['kind'], to: EntityId, type: string, data: PlainObject, contractVersion: number): Envelope {
    return {
      id: this.#nextId() as MessageId,
      kind,
      to,
      from: this.#before.entity,
      type,
      data,
      ...follow(this.#message),
      created: this.#before.now,
      contractVersion,
    }
  }

  /** A command may be answered in a later turn, when a timer or an effect that it started has come to its end. */
  #laterAsker(): Asker | undefined {
    return this.#message.kind === 'command' ? askerOf(this.#message) : this.#message.asker
  }

  #nextId(): string {
    this.#stem ??= turnStem(this.#before.entity, this.#before.incarnation, this.#message.id)
    this.#index += 1
    return `${this.#stem}-${this.#index}`
  }
}
