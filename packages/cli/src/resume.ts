// resume.ts: `interstate shards resume`: after history was lost a person decides to go on.
//   R1  A mark is set when the head stands behind it, and not before: a sender that went on meanwhile would send under
//       numbers that the mark already covers, and its messages would pass for duplicates.
//   R2  The shard runs again when its lanes fit, and not before.
//   R3  A store makes the record of a shard anew with the first end that is set there, so one is set in any case: to where
//       it stands, on the lane of the shard to itself, which nobody uses.
import { emptyChain, type LaneEnd, type Lanes, type ShardId } from '@interstate/core'
import { type Answer, type Context, confirm, shardsOf } from './answer.ts'
import { type LaneLoss, lossesOf, type Mending } from './lane-losses.ts'
import { printable } from './printable.ts'
import { Refusal } from './refusal.ts'
import { checkShard } from './shards.ts'
import { count, paragraphs, type Style, table } from './tables.ts'

/** What `interstate shards resume` takes. */
export interface ResumeOptions {
  readonly shard: ShardId
  readonly dryRun?: boolean | undefined
  readonly yes?: boolean | undefined
}

const mostRounds = 5

/** See the file head. */
export async function resume(context: Context, { shard, dryRun = false, yes = false }: ResumeOptions): Promise<Answer> {
  const { store, outside, style } = context
  const { lanes, cluster } = store
  if (lanes === undefined) {
    throw new Refusal('USAGE', `the ${store.name} store has no lanes between shards`, 'there is nothing to resume here')
  }
  checkShard(store, shard)
  const all = shardsOf(store)
  const found = await lossesOf(lanes, shard, all)
  const losses = found.map(({ loss }) => loss)
  const halt = (await cluster?.view())?.halts.find((each) => each.shard === shard)?.finding ?? null
  const text = paragraphs(
    halt === null ? `Shard ${shard} does not stand still.` : `Shard ${shard} stands still: ${printable(halt)}`,
    tell(style, shard, losses),
  )
  const isNeeded = found.length > 0 || halt !== null
  if (!isNeeded || dryRun) {
    const note = isNeeded ? 'Nothing was changed: this is a dry run.' : undefined
    return { document: { shard, halt, losses, isResumed: false }, text: paragraphs(text, note) }
  }
  if (!yes && outside.confirm !== undefined) outside.err(`${text}\n\n`)
  const question = `Shard ${shard} goes on without what is lost, and this can't be taken back. Go on?`
  await confirm(outside, yes, question)
  // R3
  await lanes.rebase({ heads: [{ from: shard, to: shard, number: 0, chain: emptyChain }], marks: [] })
  await mend(lanes, shard, all, found)
  // R2
  await cluster?.resume(shard)
  return {
    document: { shard, halt, losses, isResumed: true },
    text: paragraphs(
      yes ? text : undefined,
      `${count(found.length, 'lane')} set. Shard ${shard} may go on. Start its hosts anew: what saw the loss goes on seeing it.`,
    ),
  }
}

async function mend(lanes: Lanes, shard: ShardId, all: readonly ShardId[], found: readonly Mending[]): Promise<void> {
  let left = found
  for (let round = 0; left.length > 0; round += 1) {
    if (round === mostRounds) {
      const what = `${count(left.length, 'lane')} of shard ${shard} changed while they were set`
      throw new Refusal('NOT_SETTLED', what, 'stop the hosts that run it, and run this again')
    }
    await lanes.rebase({ heads: left.flatMap(({ head }) => head ?? []), marks: [] })
    const heads = new Map((await lanes.heads(all)).map((head) => [`${head.from}>${head.to}`, head]))
    // R1
    const stands = ({ from, to, number }: LaneEnd): boolean => (heads.get(`${from}>${to}`)?.trimmed ?? 0) >= number
    await lanes.rebase({
      heads: [],
      marks: left.flatMap(({ mark }) => (mark !== undefined && stands(mark) ? mark : [])),
    })
    left = await lossesOf(lanes, shard, all)
  }
}

function tell(style: Style, shard: ShardId, losses: readonly LaneLoss[]): string {
  if (losses.length === 0) {
    return `The lanes of shard ${shard} fit together: no loss is known between shards.`
  }
  const rows = losses.map((loss) => [
    `${loss.from} -> ${loss.to}`,
    `${loss.first}-${loss.last}`,
    loss.waiting,
    meaning(loss),
  ])
  const lost = losses.reduce((sum, { kind, first, last }) => sum + (kind === 'lost' ? last - first + 1 : 0), 0)
  const ahead = losses.reduce((sum, { kind, first, last }) => sum + (kind === 'ahead' ? last - first + 1 : 0), 0)
  const again = losses.reduce((sum, { kind, waiting }) => sum + (kind === 'lost' ? 0 : waiting), 0)
  return paragraphs(
    'History was lost. What is known of it, lane by lane:',
    table({ ...style, columns: undefined }, ['lane', 'numbers', 'waiting', 'what it means'], rows),
    [
      lost > 0 ? `${count(lost, 'message')} sent and forgotten, and never received: lost.` : undefined,
      ahead > 0
        ? `${count(ahead, 'message')} received that the sender no longer knows of: it may send them again.`
        : undefined,
      again > 0
        ? `${count(again, 'message')} in the lanes handed over under new numbers: some may be handled twice.`
        : undefined,
      'What happened inside of the shard and never left it is not seen here.',
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
  )
}

function meaning({ kind, from, to }: LaneLoss): string {
  switch (kind) {
    case 'lost':
      return `shard ${from} has sent and forgotten them, shard ${to} has not got them`
    case 'ahead':
      return `shard ${to} has them, shard ${from} does not know that it sent them`
    case 'diverged':
      return `shards ${from} and ${to} know other messages under the same numbers`
    default:
      return kind satisfies never
  }
}
