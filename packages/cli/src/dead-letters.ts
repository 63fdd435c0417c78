// dead-letters.ts: `interstate dead-letters`: list them, look at one, put them back.
import { type DeadLetter, InterstateError, type MessageId, type StoreDriver } from '@interstate/core'
import { type Answer, type Context, confirm } from './answer.ts'
import { type LetterFilter, letterOf, lettersOf, messageOf, unknownLetter, viewOf } from './letters.ts'
import { moment, printable, printableJson } from './printable.ts'
import { Refusal, withoutRemedy } from './refusal.ts'
import { count, list, paragraphs, table } from './tables.ts'

/** What `interstate dead-letters list` takes. */
export interface ListOptions extends LetterFilter {
  readonly limit: number
  readonly after?: string | undefined
}

/** What `interstate dead-letters requeue` takes. */
export interface RequeueOptions extends LetterFilter {
  readonly ids: readonly string[]
  readonly all?: boolean | undefined
  readonly yes?: boolean | undefined
}

/** A page of dead letters. */
export async function listLetters({ store, style }: Context, options: ListOptions): Promise<Answer> {
  const { limit, after, ...filter } = options
  const found: DeadLetter[] = []
  for await (const letter of lettersOf(store, filter, after as MessageId | undefined)) {
    found.push(letter)
    if (found.length > limit) break
  }
  const page = found.slice(0, limit)
  const next = found.length > limit ? (page.at(-1)?.id ?? null) : null
  const views = page.map(viewOf)
  const rows = views.map(({ id, entity, type, code, attempts, at, text }) => [
    printable(id),
    printable(entity),
    printable(type ?? 'can not be read'),
    at === null ? '-' : moment(Date.parse(at)),
    attempts ?? '-',
    printable(`${code}: ${withoutRemedy(code, text)}`),
  ])
  return {
    document: { deadLetters: views, next },
    text: paragraphs(
      rows.length === 0
        ? 'No dead letters.'
        : table(style, ['id', 'entity', 'type', 'given up', 'tries', 'because'], rows),
      next === null ? undefined : `There are more: --after ${printable(next)}`,
    ),
  }
}

/** One dead letter, in full. */
export async function showLetter({ store, style }: Context, id: string): Promise<Answer> {
  const letter = await letterOf(store, id)
  const view = viewOf(letter)
  const message = messageOf(letter)
  return {
    document: { ...view, message: message ?? null, body: letter.body },
    text: list(style, [
      ['id', printable(view.id)],
      ['entity', printable(view.entity)],
      ['shard', `${view.shard}`],
      ['given up', view.at === null ? '-' : moment(Date.parse(view.at))],
      ['because', printable(`${view.code}: ${withoutRemedy(view.code, view.text)}`)],
      ['tries', `${view.attempts ?? '-'}`],
      ...(message === undefined
        ? [['body', printable(letter.body)] as const]
        : ([
            ['type', printable(`${message.type} (${message.kind})`)],
            ['from', printable(message.from)],
            ['created', moment(message.created)],
            ['data', printableJson(message.data)],
            ['caused by', printable(message.causationId)],
            ['chain', printable(message.correlationId)],
          ] as const)),
    ]),
  }
}

/** Puts dead letters back at the end of their entities' inboxes, each in one commit. */
export async function requeueLetters(context: Context, options: RequeueOptions): Promise<Answer> {
  const { store, outside } = context
  const { ids, all = false, yes = false, ...filter } = options
  if (all === ids.length > 0) {
    throw new Refusal('USAGE', 'it is not clear which dead letters are meant', 'give their ids, or --all')
  }
  if (!all && (filter.entity !== undefined || filter.code !== undefined)) {
    throw new Refusal('USAGE', '--entity and --code choose among --all', 'give --all as well, or ids alone')
  }
  const { ready, refused } = all ? await sort(store, filter) : { ready: await chosen(store, ids), refused: [] }
  if (all && ready.length > 0) {
    const question = `Put ${count(ready.length, 'dead letter')} back to be handled again?`
    await confirm(outside, yes, question)
  }
  const requeued: MessageId[] = []
  for (const { id, shard } of ready) {
    // Of --all, one that somebody else has put back meanwhile is where it should be.
    if ((await store.requeue(id)) !== undefined) {
      requeued.push(id)
      await ring(store, shard)
    } else if (!all) throw unknownLetter(id)
  }
  return {
    document: { requeued, refused },
    text: paragraphs(
      `${count(requeued.length, 'dead letter')} put back.`,
      refused.length === 0
        ? undefined
        : [
            `${count(refused.length, 'dead letter')} left:`,
            ...refused.map(({ id, why }) => `  ${printable(id)}: ${why}`),
          ].join('\n'),
    ),
  }
}

interface RefusedLetter {
  readonly id: MessageId
  readonly why: string
}

/** All are looked at before the first is moved. */
async function chosen(store: StoreDriver, ids: readonly string[]): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = []
  for (const id of new Set(ids)) {
    const letter = await letterOf(store, id)
    const why = obstacle(letter)
    if (why !== undefined) throw new InterstateError('REQUEUE_REFUSED', `Dead letter "${id}" ${why}.`, { id })
    letters.push(letter)
  }
  return letters
}

async function sort(
  store: StoreDriver,
  filter: LetterFilter,
): Promise<{ ready: DeadLetter[]; refused: RefusedLetter[] }> {
  const ready: DeadLetter[] = []
  const refused: RefusedLetter[] = []
  for await (const letter of lettersOf(store, filter)) {
    const why = obstacle(letter)
    if (why === undefined) ready.push(letter)
    else refused.push({ id: letter.id, why })
  }
  return { ready, refused }
}

/** Why a letter can't be put back. */
function obstacle(letter: DeadLetter): string | undefined {
  const message = messageOf(letter)
  if (message === undefined) return 'can not be read'
  return message.kind === 'timeout' ? 'is a timer that its entity has dropped' : undefined
}

/** Tells the owner of the shard. A ring may be lost: hosts look by themselves now and then. */
async function ring({ cluster }: StoreDriver, shard: number): Promise<void> {
  try {
    const [lease] = (await cluster?.leases([shard])) ?? []
    if (lease?.owner) await cluster?.notify([{ to: lease.owner, text: JSON.stringify({ news: [shard] }) }])
  } catch {
    // The letter is back in its inbox; the bell is only for speed.
  }
}
