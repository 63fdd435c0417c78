// dry-run.ts: `interstate dead-letters dry-run`: what would happen if a dead letter were handled now. Changes nothing.
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Definition } from '@interstate/core'
import * as ownCore from '@interstate/core'
import type { Answer, Context } from './answer.ts'
import { letterOf, messageOf } from './letters.ts'
import { printable, printableJson } from './printable.ts'
import { type Failure, failureOf, lineOf, Refusal } from './refusal.ts'
import { list } from './tables.ts'

/** What `interstate dead-letters dry-run` takes. */
export interface DryRunOptions {
  readonly id: string
  /** The module that exports `entities`. */
  readonly app?: string | undefined
}

type Core = typeof ownCore

interface App {
  readonly core: Core
  readonly entities: readonly Definition[]
}

/** See the file head. */
export async function dryRun({ store, outside, style }: Context, { id, app: path }: DryRunOptions): Promise<Answer> {
  if (path === undefined) {
    const remedy = 'give --app ./module.ts, a module that exports them: export const entities = [payment, fulfilment]'
    throw new Refusal('USAGE', 'a dry run needs the definitions of the entities', remedy)
  }
  const letter = await letterOf(store, id)
  const { core, entities } = await load(resolve(outside.folder, path))
  const wiring = new core.Wiring(entities)
  const definition = wiring.definitionOf(letter.to)
  let trial: Trial
  try {
    const message = messageOf(letter)
    if (message === undefined)
      throw new core.InterstateError('MESSAGE_UNREADABLE', `Dead letter "${id}" can't be read.`, { id })
    const [row] = await store.load([{ entity: letter.to, shard: letter.shard }])
    const state = row?.snapshot === undefined ? undefined : core.decodeSnapshot(definition, letter.to, row.snapshot)
    const decision = core.decide(wiring, definition, state, message, outside.now())
    trial = {
      succeeds: true,
      outcome: decision.outcome,
      before: state?.snapshot.value ?? null,
      after: decision.state?.snapshot.value ?? null,
      sends: decision.outbox.map(({ type, to }) => `${type} -> ${to}`),
    }
  } catch (error) {
    trial = { succeeds: false, error: failureOf(error) }
  }
  return { document: documentOf(id, letter.to, trial), text: list(style, rowsOf(letter.to, trial)) }
}

type Trial =
  | {
      readonly succeeds: true
      readonly outcome: string
      readonly before: unknown
      readonly after: unknown
      readonly sends: readonly string[]
    }
  | { readonly succeeds: false; readonly error: Failure }

function documentOf(id: string, entity: string, trial: Trial): object {
  if (trial.succeeds) return { id, entity, ...trial }
  const { code, what, remedy } = trial.error
  return { id, entity, succeeds: false, error: { code, what, remedy } }
}

function rowsOf(entity: string, trial: Trial): readonly (readonly [string, string])[] {
  if (!trial.succeeds) {
    return [
      ['entity', printable(entity)],
      ['outcome', 'it would fail again'],
      ['because', lineOf(trial.error)],
    ]
  }
  const { outcome, before, after, sends } = trial
  return [
    ['entity', printable(entity)],
    ['outcome', outcome],
    ['before', printableJson(before)],
    ['after', printableJson(after)],
    ['sends', printable(sends.join(', ')) || 'nothing'],
  ]
}

async function load(path: string): Promise<App> {
  let loaded: { readonly entities?: unknown; readonly default?: unknown }
  try {
    loaded = await import(pathToFileURL(path).href)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const remedy = 'correct the path; a module in TypeScript needs a Node.js that strips types (22.18 or later)'
    throw new Refusal('APP_INVALID', `${path} can't be loaded: ${why}`, remedy, { cause })
  }
  const entities = loaded.entities ?? loaded.default
  if (!Array.isArray(entities) || entities.length === 0 || !entities.every(isDefinition)) {
    throw new Refusal('APP_INVALID', `${path} exports no entities`, 'export const entities = [payment, fulfilment]')
  }
  return { core: await coreOf(path), entities }
}

/** The copy of core that the definitions were made with: `turn()` of another would not know that a turn is on. */
async function coreOf(path: string): Promise<Core> {
  try {
    return await import(pathToFileURL(createRequire(path).resolve('@interstate/core')).href)
  } catch {
    return ownCore
  }
}

function isDefinition(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && 'machine' in value && 'name' in value
}
