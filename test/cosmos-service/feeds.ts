// feeds.ts: items without a query: all of them, or those that changed
// (learn.microsoft.com/rest/api/cosmos-db/list-documents, /azure/cosmos-db/change-feed-modes, latest version).
import { feedCharge } from './charges.ts'
import { type Context, factorOf, lsnFor, type Scope } from './context.ts'
import { type Answer, badRequest, notImplemented } from './exchange.ts'
import { isObject } from './json.ts'
import { pageSize } from './pages.ts'
import type { StoredItem } from './storage.ts'
import { continuationOf, positionOf } from './tokens.ts'

export function answerFeed(context: Context, scope: Scope): Answer {
  return context.request.headers['a-im'] === undefined ? list(context, scope) : changes(context, scope)
}

function list(context: Context, scope: Scope): Answer {
  const { headers } = context.request
  const asked = `list ${JSON.stringify(scope ?? null)}`
  const continuation = headers['x-ms-continuation']
  const position = continuation === undefined ? undefined : positionOf(asked, continuation)
  const after = isObject(position) && typeof position.rid === 'string' ? position.rid : ''
  const rows = itemsAt(context, scope, lsnFor(context))
    .filter(({ rid }) => rid > after)
    .sort((left, right) => (left.rid < right.rid ? -1 : 1))
  const page = rows.slice(0, pageSize(headers['x-ms-max-item-count']))
  const last = page.at(-1)
  const more = last !== undefined && page.length < rows.length
  return feedOf(context, page, more ? { 'x-ms-continuation': continuationOf(asked, { rid: last.rid }) } : {})
}

/** The latest version of each item that was written after the one that the client has seen; deletions do not show. */
function changes(context: Context, scope: Scope): Answer {
  const { headers } = context.request
  const { storage } = context.container
  if (headers['a-im'] !== 'Incremental feed' && headers['a-im'] !== 'Incremental Feed') {
    throw notImplemented(`change feeds of the kind ${headers['a-im']}.`)
  }
  if (headers['if-modified-since'] !== undefined) throw notImplemented('a change feed from a time on.')
  const from = headers['if-none-match']
  const upTo = lsnFor(context)
  const after = from === undefined ? 0 : from === '*' ? storage.lsn : lsnIn(from)
  const rows = itemsAt(context, scope, upTo)
    .filter(({ lsn }) => lsn > after)
    .sort((left, right) => left.lsn - right.lsn || (left.rid < right.rid ? -1 : 1))
  const page = wholeTransactions(rows, pageSize(headers['x-ms-max-item-count']))
  const etag = `"${page.at(-1)?.lsn ?? Math.max(after, upTo)}"`
  if (page.length > 0) return feedOf(context, page, { etag })
  context.charge(feedCharge([], factorOf(context)))
  return { status: 304, headers: { etag } }
}

/** A page never ends within a transaction: its etag could not say where. */
function wholeTransactions(rows: readonly StoredItem[], size: number): readonly StoredItem[] {
  const last = rows[size - 1]
  return last === undefined ? rows : rows.filter(({ lsn }) => lsn <= last.lsn)
}

function lsnIn(etag: string): number {
  const match = /^"(\d+)"$/.exec(etag)
  if (match === null) throw badRequest('The etag is not one of a change feed.')
  return Number(match[1])
}

function itemsAt({ container: { storage } }: Context, scope: Scope, lsn: number): StoredItem[] {
  const partitions = scope === undefined ? [...storage.partitions.values()] : [storage.partition(scope)]
  return partitions.flatMap((partition) => (partition === undefined ? [] : storage.all(partition, lsn)))
}

function feedOf(context: Context, page: readonly StoredItem[], headers: Readonly<Record<string, string>>): Answer {
  context.charge(
    feedCharge(
      page.map(({ bytes }) => bytes),
      factorOf(context),
    ),
  )
  return {
    status: 200,
    headers: { ...headers, 'x-ms-item-count': String(page.length) },
    body: { _rid: context.container.settings.rid, Documents: page.map(({ item }) => item), _count: page.length },
  }
}
