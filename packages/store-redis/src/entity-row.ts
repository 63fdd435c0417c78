// entity-row.ts: an entity as one string: a line that scripts read the front of, then trouble, then snapshot. A persisted
// format. With a snapshot of 300 characters it takes 494 bytes; a hash with a field for each takes 746 (Redis 7.0.15).
import { type Commit, type EntityId, InterstateError, type StoredEntity } from '@interstate/core'

/** A script reads some thousand characters of a row, in which the tags of a group must have room. */
const maxTag = 500

/** The tag as it stands in a row: no space, no line end. */
export function tagText(tag: string): string {
  const text = encodeURIComponent(tag)
  if (text.length <= maxTag) return text
  throw new InterstateError('LIMIT_EXCEEDED', `A tag of ${text.length} characters is too long.`, { tag })
}

/** The row that a commit writes: `version wakeAt unsettled troubleLength snapshot? tags`. The script may add older tags. */
export function encodeRow({ expectedVersion, tag, snapshot, trouble, wakeAt, unsettled }: Commit): string {
  const head = [
    expectedVersion + 1,
    wakeAtText(wakeAt),
    unsettled ? 1 : 0,
    trouble === undefined ? '-' : trouble.length,
    snapshot === undefined ? '-' : '+',
    tagText(tag),
  ]
  return `${head.join(' ')}\n${trouble ?? ''}${snapshot ?? ''}`
}

/** As it stands in a row, where it tells whether the index of wake-ups changes. */
export function wakeAtText(wakeAt: number | undefined): string {
  return wakeAt === undefined ? '-' : String(wakeAt)
}

export function decodeRow(entity: EntityId, row: string): StoredEntity {
  const end = row.indexOf('\n')
  const [version, wakeAt, , trouble, snapshot, tags = ''] = row.slice(0, end).split(' ')
  const [tag = ''] = tags.split(',', 1)
  const cut = end + 1 + (trouble === '-' ? 0 : Number(trouble))
  return {
    entity,
    version: Number(version),
    tag: decodeURIComponent(tag),
    snapshot: snapshot === '-' ? undefined : row.slice(cut),
    trouble: trouble === '-' ? undefined : row.slice(end + 1, cut),
    wakeAt: wakeAt === '-' ? undefined : Number(wakeAt),
  }
}
