// ledger.ts: writers whose documents remember every attempt that took place, so that nothing is lost or doubled unseen.
import { expect } from 'vitest'
import type { ConditionalWrite, Document, Partition, Stored } from '../src/document.ts'
import type { Documents, Written } from '../src/documents.ts'

/** What the writers of one logical partition were told. */
export interface Told {
  readonly done: string[]
  readonly refused: string[]
  /** Refused, after an attempt without an answer. */
  readonly unsure: string[]
  readonly uncertain: string[]
}

interface Logged extends Document {
  readonly log: readonly string[]
}

export const kinds = ['create', 'replace', 'batch'] as const
export type WriteKind = (typeof kinds)[number]

let tags = 0

export function newTag(): string {
  tags += 1
  return `t${tags}`
}

export function partitionOf(index: number): Partition {
  return { shard: index % 64, entity: `order/${index}` }
}

export function toldNothing(): Told {
  return { done: [], refused: [], unsure: [], uncertain: [] }
}

/** A writer: it knows a version, writes the next one, and learns from what it is told. */
export class Writer {
  readonly #documents: Documents
  readonly #partition: Partition
  readonly #told: Told
  readonly #padding: string
  #known: Stored | undefined
  #count = 0

  constructor(documents: Documents, partition: Partition, told: Told, padding = '') {
    this.#documents = documents
    this.#partition = partition
    this.#told = told
    this.#padding = padding
  }

  async write(kind: WriteKind): Promise<void> {
    const tag = newTag()
    try {
      const written = kind === 'create' ? await this.#create(tag) : await this.#replace(tag, kind)
      switch (written.outcome) {
        case 'ok':
          this.#told.done.push(tag)
          return
        case 'conflict':
        case 'absent':
          this.#known = 'found' in written ? written.found : undefined
          this.#told[written.isSure ? 'refused' : 'unsure'].push(tag)
          return
        default:
          written satisfies never
      }
    } catch (error) {
      expect(error).toMatchObject({ code: 'STORE_UNCERTAIN' })
      this.#told.uncertain.push(tag)
      this.#known = undefined
    }
  }

  #create(tag: string): Promise<Written> {
    this.#count += 1
    return this.#documents.write({
      kind: 'create',
      document: { ...this.#partition, id: `item-${tag}`, tag, log: [tag], padding: this.#padding },
    })
  }

  async #replace(tag: string, kind: 'replace' | 'batch'): Promise<Written> {
    if (this.#known === undefined) {
      const read = await this.#documents.read(this.#partition, 'head')
      if (read.outcome === 'ok') this.#known = read
    }
    const known = this.#known
    const log = known === undefined ? [] : (known.document as Logged).log
    const document: Logged = { ...this.#partition, id: 'head', tag, log: [...log, tag], padding: this.#padding }
    const head: ConditionalWrite =
      known === undefined ? { kind: 'create', document } : { kind: 'replace', document, etag: known.etag }
    const note: Document = { ...this.#partition, id: `note-${tag}`, tag }
    const written =
      kind === 'replace'
        ? await this.#documents.write(head)
        : await this.#documents.batch([head, { kind: 'create', document: note }])
    if (written.outcome === 'ok') this.#known = { document, etag: written.etag }
    return written
  }
}

/** Everything that was told is so: what is done stands there once, what is refused does not. */
export async function judge(documents: Documents, partition: Partition, told: Told, kind: WriteKind): Promise<void> {
  const { log, beside } = await readAll(documents, partition, kind)
  expect(log).toHaveLength(new Set(log).size)
  for (const tag of told.done) expect(log).toContain(tag)
  for (const tag of told.refused) expect(log).not.toContain(tag)
  const known = new Set([...told.done, ...told.unsure, ...told.uncertain])
  for (const tag of log) expect(known).toContain(tag)
  if (kind === 'batch') expect(beside.toSorted()).toEqual(log.toSorted())
}

/** All attempts that took place, and what batches wrote beside the head. */
async function readAll(
  documents: Documents,
  { shard, entity }: Partition,
  kind: WriteKind,
): Promise<{ log: string[]; beside: string[] }> {
  const log: string[] = []
  const beside: string[] = []
  let continuation: string | undefined
  do {
    const page = await documents.query({ shard, most: 1_000, continuation })
    for (const document of page.documents) {
      if (document.entity !== entity) continue
      if (document.id === 'head' || kind === 'create') log.push(...(document as Logged).log)
      else beside.push(document.tag)
    }
    continuation = page.continuation
  } while (continuation !== undefined)
  return { log, beside }
}
