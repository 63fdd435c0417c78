// purge.ts: `interstate purge`: forgets old idempotency keys, for good.
import { type Answer, type Context, confirm } from './answer.ts'
import { isoOf, moment } from './printable.ts'
import { Refusal } from './refusal.ts'
import { count } from './tables.ts'

/** What `interstate purge` takes. */
export interface PurgeOptions {
  readonly before: string
  readonly yes?: boolean | undefined
}

/** See the file head. */
export async function purge({ store, outside }: Context, { before, yes = false }: PurgeOptions): Promise<Answer> {
  const mark = timeOf(before)
  if (mark > outside.now()) {
    throw new Refusal(
      'USAGE',
      `${before} is still to come`,
      'every key made until then would be refused: give a date that is past',
    )
  }
  const question = `Forget all idempotency keys made before ${moment(mark)}? They are refused from then on; this can't be taken back.`
  await confirm(outside, yes, question)
  const forgotten = await store.purge(mark)
  return {
    document: { before: isoOf(mark), forgotten },
    text: `${count(forgotten, 'key')} made before ${moment(mark)} forgotten. Older ones are refused from now on.`,
  }
}

const date = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** A time without a zone would mean another moment on each machine. */
function timeOf(text: string): number {
  const ms = date.test(text) ? Date.parse(text) : Number.NaN
  // Date.parse takes February 30 for March 2.
  const isReal =
    !Number.isNaN(ms) && new Date(`${text.slice(0, 10)}T00:00:00Z`).toISOString().startsWith(text.slice(0, 10))
  if (isReal && ms >= 0) return ms
  throw new Refusal('USAGE', `"${text}" is no date`, 'write 2026-01-31 (UTC), or 2026-01-31T12:00:00Z')
}
