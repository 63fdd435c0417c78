// lost.ts: what is said where a shard has less than it acknowledged (G15).
import { InterstateError, type ShardId } from '@interstate/core'

/** What a script answers, see scripts/guard.ts. */
export type Answer = readonly [outcome: string, seq: number, ...detail: unknown[]]

/** What was found, when a script says that history is lost; `undefined` otherwise. */
export function lostFinding(shard: ShardId, answer: Answer): string | undefined {
  if (answer[0] !== 'lost') return undefined
  const [, field, stored] = answer as readonly unknown[]
  switch (field) {
    case 'store':
      return stored === ''
        ? `The record of shard ${shard} is gone.`
        : `The record of shard ${shard} is that of another store, ${stored}.`
    case 'epoch':
      return `Shard ${shard} is back at epoch ${stored}.`
    default:
      return `Shard ${shard} is back at write ${stored}.`
  }
}

/** Where there is no outcome to say it with. */
export function lostHistory(findings: readonly (readonly [ShardId, string])[]): InterstateError {
  const shards = findings.map(([shard]) => shard)
  const what = findings.map(([, finding]) => finding).join(' ')
  return new InterstateError('STORE_LOST_HISTORY', what, { shards, findings: Object.fromEntries(findings) })
}
