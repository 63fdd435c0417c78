// replay.ts: a run as a token holds it, looked at as carefully as anything that comes from outside.
import { InterstateError, parseEntityId, validate, Wiring } from '@interstate/core'
import { WorldError } from '../failure/error.ts'
import type { WorldPlan } from '../world/plan.ts'
import { faultNames } from './fault.ts'
import type { Settings } from './options.ts'
import type { CallAction, RunPlan } from './run-plan.ts'

/** @throws WorldError `TOKEN_UNREADABLE`; `REPLAY_DIFFERS` where the world no longer has what the run needs. */
export function readRun(plan: WorldPlan, { stores }: Settings, recorded: unknown): RunPlan {
  if (!isRun(recorded)) throw new WorldError('TOKEN_UNREADABLE', 'The token holds no run of a simulation.')
  if (!stores.some(({ name }) => name === recorded.store)) {
    const what = `The run was held on store "${recorded.store}", which is not among those given.`
    throw new WorldError('REPLAY_DIFFERS', what)
  }
  for (const action of recorded.actions) if (action.do === 'call') checkCall(plan, action)
  return recorded
}

function checkCall(plan: WorldPlan, { call, entity, message }: CallAction): void {
  try {
    const { type } = parseEntityId(entity)
    const { contract } = new Wiring(plan.entities).definition(type)
    validate(contract, call === 'publish' ? 'event' : 'command', message)
  } catch (cause) {
    if (!(cause instanceof InterstateError)) throw cause
    throw new WorldError('REPLAY_DIFFERS', `The run calls ${entity} with ${message.type}. ${cause.message}`, { cause })
  }
}

function isRun(run: unknown): run is RunPlan {
  if (!isRecord(run)) return false
  const { seed, store, hosts = 1, groupTurns, maxLive, latency, actions } = run
  return (
    [seed, groupTurns, maxLive, hosts].every(Number.isSafeInteger) &&
    typeof store === 'string' &&
    (latency === 'drawn' || latency === 'steady') &&
    Array.isArray(actions) &&
    actions.every(isAction)
  )
}

function isAction(action: unknown): boolean {
  if (!isRecord(action) || !Number.isFinite(action.at)) return false
  if (action.do !== 'call') return faultNames.includes(action.do as never)
  const { call, entity, message, number, keyed } = action
  return (
    (call === 'send' || call === 'ask' || call === 'publish') &&
    typeof entity === 'string' &&
    Number.isSafeInteger(number) &&
    typeof keyed === 'boolean' &&
    isRecord(message) &&
    typeof message.type === 'string'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
