// corpus.ts: mistakes that somebody could make in the runtime or in a store, each as one change of one place.

/** A mistake. */
export interface RuntimeBug {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Must stand in the file exactly once: otherwise the corpus has rotted. */
  readonly find: string
  readonly replace: string
  /** What it breaks. */
  readonly guarantee: `G${number}`
  /** How it comes about, and why nobody sees it at first. */
  readonly why: string
  /** Why it is not found, where it is not. */
  readonly missed?: string
  /** The store that it is looked for on. Default: in memory. `shards`: in memory, shared by three hosts. */
  readonly store?: 'sqlite' | 'shards'
}

const memory = 'packages/store-memory/src'
const sqlite = 'packages/store-sqlite/src'
const runtime = 'packages/runtime/src'

/** See the file head. */
export const runtimeBugs: readonly RuntimeBug[] = [
  {
    name: 'version not checked',
    file: `${memory}/memory-store.ts`,
    find: '      this.conflict(commit) ??\n',
    replace: '',
    guarantee: 'G4',
    why: 'The last writer wins: fine as long as nobody else writes.',
  },
  {
    name: 'version compared loosely',
    file: `${sqlite}/entities.ts`,
    find: 'WHERE name = ? AND version = ?`)',
    replace: 'WHERE name = ? AND version >= ?`)',
    guarantee: 'G4',
    why: 'A commit from an older version passes too.',
    store: 'sqlite',
  },
  {
    name: 'fence not checked',
    file: `${memory}/memory-store.ts`,
    find: '      this.fenced(commit) ??\n',
    replace: '',
    guarantee: 'G5',
    why: 'The version alone seems enough, until an old owner is as far as the new one.',
  },
  {
    name: 'fence checked outside of the write',
    file: `${memory}/memory-store.ts`,
    find: '    const epoch = this.ownership.epoch(lease.shard)\n',
    replace: `
    const seen: Map<string, number> = ((this as any).seen ??= new Map())
    const place = lease.owner + ' ' + lease.shard
    const epoch = seen.get(place) ?? this.ownership.epoch(lease.shard)
    seen.set(place, epoch)
`,
    guarantee: 'G5',
    why: 'The epoch is read when an owner first commits, and remembered: the shard passes on meanwhile.',
  },
  {
    name: 'epoch compared loosely',
    file: `${sqlite}/groups.ts`,
    find: 'if (epoch !== lease.epoch)',
    replace: 'if (epoch < lease.epoch)',
    guarantee: 'G5',
    why: 'The wrong way round, an old epoch is never refused.',
    store: 'sqlite',
  },
  {
    name: 'acceptance not fenced',
    file: `${memory}/memory-store.ts`,
    find: '      if (lease !== undefined && this.ownership.epoch(lease.shard) !== lease.epoch) late.add(id)\n',
    replace: '',
    guarantee: 'G16',
    why: 'A message changes no entity, and handling it is fenced: it seems welcome from whoever brings it.',
  },
  {
    name: 'repeated group not recognised',
    file: `${memory}/memory-store.ts`,
    find: '    if (known !== undefined) return again(known)\n',
    replace: '    if (known !== undefined && group.accepted.length > 0) return again(known)\n',
    guarantee: 'G7',
    why: 'Only where something is accepted: each commit has a tag of its own, after all.',
  },
  {
    name: 'no duplicate check',
    file: `${memory}/memory-store.ts`,
    find: '      this.duplicate(commit) ??\n',
    replace: '',
    guarantee: 'G1',
    why: 'Versions seem to see to it already.',
    missed: 'versions do see to it, as long as the runtime has no mistake of its own; the store contract finds it',
  },
  {
    name: 'consumed message not removed',
    file: `${memory}/memory-store.ts`,
    find: '    for (const id of commit.consumed) this.waiting.remove(id)\n',
    replace: '    for (const id of commit.consumed.slice(0, 8)) this.waiting.remove(id)\n',
    guarantee: 'G1',
    why: 'A limit of one statement, nobody thought of longer bursts.',
  },
  {
    name: 'dispatch before the commit',
    file: `${memory}/memory-store.ts`,
    find: '  protected commit(commit: Commit): CommitResult {\n',
    replace:
      '  protected commit(commit: Commit): CommitResult {\n    for (const message of commit.outbox) this.waiting.add(message)\n',
    guarantee: 'G3',
    why: 'Messages are on their way before it is known whether their turn counts.',
  },
  {
    name: 'purge mark moves back',
    file: `${memory}/keys.ts`,
    find: '    this.#mark = Math.max(this.#mark, before)\n',
    replace: '    this.#mark = before\n',
    guarantee: 'G7',
    why: 'Two housekeepers with two opinions: what was purged by one may run again.',
  },
  {
    name: 'requeue loses the letter',
    file: `${memory}/memory-store.ts`,
    find: '    return this.waiting.add(letter)\n',
    replace: '    return { ...letter, position: 1 }\n',
    guarantee: 'G12',
    why: 'The host has it in memory, and nobody else.',
  },
  {
    name: 'acknowledgement before durable',
    file: `${runtime}/engine.ts`,
    find: '    this.arrivals.push(arrival)\n    this.ring()\n',
    replace:
      '    this.arrivals.push(arrival)\n    arrival.resolve({ message: arrival.message, duplicate: false })\n    this.ring()\n',
    guarantee: 'G8',
    why: 'The call is in memory, and the client is so much faster.',
  },
  {
    name: 'a refused part undoes what other parts wrote',
    file: `${runtime}/group-writer.ts`,
    find: "    const isUnknown = failures.length < ends.length || failures.some(({ code }) => code === 'STORE_UNCERTAIN')\n",
    replace: "    const isUnknown = failures.some(({ code }) => code === 'STORE_UNCERTAIN')\n",
    guarantee: 'G1',
    why: 'The store said no, and a group that was refused has always been undone.',
    store: 'shards',
  },
  {
    name: 'effect before its commit',
    file: `${runtime}/engine.ts`,
    find: '      const { group, folds, result } = await writer.finish()\n',
    replace: `
      for (const { resident, started } of wave.folds) {
        const { entity, definition } = resident
        if (definition !== undefined) for (const [id, effect] of started) this.effects.start({ entity, definition, id, effect })
      }
      const { group, folds, result } = await writer.finish()
`,
    guarantee: 'G8',
    why: 'It runs while the store writes, and saves a moment.',
  },
  {
    name: 'effect not run again after a crash',
    file: `${runtime}/engine.ts`,
    find: '    await resumeEffects(shards, {',
    replace: '    await resumeEffects([], {',
    guarantee: 'G16',
    why: 'Everything else goes on by itself.',
  },
  {
    name: 'reply not kept at its key',
    file: `${runtime}/fold.ts`,
    find: '        key === undefined ? [] : [{ key, reply: JSON.stringify(answer) }],\n',
    replace: "        key === undefined || answer.end === 'reply' ? [] : [{ key, reply: JSON.stringify(answer) }],\n",
    guarantee: 'G10',
    why: 'The client that asked has its reply. The one that repeats its call waits.',
  },
  {
    name: 'timer forgotten at a start',
    file: `${runtime}/wake-ups.ts`,
    find: '    this.note(await this.#store.nextDue(shards, 0))\n',
    replace: '',
    guarantee: 'G16',
    why: 'The next commit of any entity with a timer hides it.',
  },
  {
    name: 'timer dropped when another fires',
    file: `${runtime}/wake-ups.ts`,
    find: '    this.#next = rows.length === limit ? now : await this.#store.nextDue(this.#leases.shards, now)\n',
    replace: '    this.#next = rows.length === limit ? now : undefined\n',
    guarantee: 'G16',
    why: 'With one timer at a time nothing is missed.',
  },
  {
    name: 'timer fires before it is due',
    file: 'packages/core/src/effects.ts',
    find: 'const due = this.#before.now + Math.ceil(Math.max(0, delayMs))',
    replace: 'const due = this.#before.now + Math.floor(Math.max(0, delayMs) / 1000) * 1000',
    guarantee: 'G9',
    why: 'Whole seconds seem fine enough.',
  },
  {
    name: 'generation not counted',
    file: 'packages/core/src/effects.ts',
    find: '    this.#armed += 1\n',
    replace: '',
    guarantee: 'G9',
    why: 'Every arming of a timer has one name, so an old firing passes for a new one.',
  },
  {
    name: 'undone group stays in memory',
    file: `${runtime}/settlement.ts`,
    find: '    for (const fold of wave.folds) if (fold.resident.fold === fold) this.#undoFold(fold, undefined)\n',
    // Keys are let go: a repeated call would wait for the lost one without end, at one moment, and so would the search.
    replace: `
    for (const { resident } of wave.folds) resident.fold = undefined
    for (const { registration: call } of wave.arrivals) if (call !== undefined) this.#context.arrivals.letGo(call.key)
`,
    guarantee: 'G4',
    why: 'Its states and its messages are right there; the next commit will bring them.',
  },
  {
    name: 'carried message accepted after its turn',
    file: `${runtime}/wave.ts`,
    find: '    for (const item of this.accepted) if (item.taker !== undefined) this.accepted.delete(item)\n',
    replace: '',
    guarantee: 'G1',
    why: 'It takes an undone group and a turn in the very next one.',
  },
  {
    name: 'attempts not counted',
    file: `${runtime}/wave.ts`,
    find: '    const attempts = before.attempts + 1\n    const retryAt',
    replace: '    const attempts = 1\n    const retryAt',
    guarantee: 'G11',
    why: 'A message that always fails is tried for ever.',
  },
  {
    name: 'unsent message of a group',
    file: `${runtime}/wave.ts`,
    find: '      item.producer.send(item.envelope)\n      this.sent.push(item)\n',
    replace: '      if (!item.queued) continue\n      item.producer.send(item.envelope)\n      this.sent.push(item)\n',
    guarantee: 'G2',
    why: 'Only where the receiver stands still: its messages wait in the store alone.',
  },
  {
    name: 'trimmed before it has arrived',
    file: `${runtime}/courier.ts`,
    find: '    const trims = [...this.#toTrim]\n',
    replace: `
    const trims = lanes.map(({ from, to, waiting }) => ({ from, to, delivered: waiting.at(-1)?.number ?? 0 })) as Lane[]
`,
    guarantee: 'G2',
    why: 'What is being handed over in the same breath is as good as there.',
    store: 'shards',
  },
  {
    name: 'gap in an inbox not noticed',
    file: `${runtime}/loader.ts`,
    find: `    if (position > reading.position + 1) {
      this.look(shard)
      return false
    }
`,
    replace: '',
    guarantee: 'G16',
    why: 'Nobody else writes to the inboxes of a host, until hosts share.',
    store: 'shards',
  },
  {
    name: 'message put into memory past others',
    file: `${runtime}/dispatch.ts`,
    find: '    if (leases.has(shard)) return loader.follows(shard, position)\n',
    replace: '    if (leases.has(shard)) return loader.follows(shard, position) || true\n',
    guarantee: 'G6',
    why: 'It was just written here, so why read it again?',
    store: 'shards',
  },
  {
    name: 'entities of a dropped shard stay in memory',
    file: `${runtime}/residents.ts`,
    find: '    for (const { entity } of dropped) this.#all.delete(entity)\n',
    replace: '',
    guarantee: 'G16',
    why: 'They are never run again, unless the shard comes back.',
    store: 'shards',
  },
  {
    name: 'lost lease not noticed',
    file: `${runtime}/sharing.ts`,
    find: 'own.filter(({ epoch }, index) => epoch < (present[index]?.epoch ?? 0))',
    replace: 'own.slice(0, 0)',
    guarantee: 'G16',
    why: 'Whoever writes under an old lease is refused. Whoever only waits for a timer writes nothing.',
    store: 'shards',
  },
  {
    name: 'bells believed',
    file: `${runtime}/sharing.ts`,
    find: '      this.#lookAt(leases.shards)\n',
    replace: '',
    guarantee: 'G16',
    why: 'Every message has its bell, and bells are hardly ever lost.',
    store: 'shards',
  },
  {
    name: 'delivered again below the mark',
    file: `${memory}/lanes.ts`,
    find: '    return messages.filter((message) => message.number > number)\n',
    replace: '    return messages\n',
    guarantee: 'G7',
    why: 'Whoever delivers knows what was delivered before, until another goes on.',
    store: 'shards',
  },
  {
    name: 'end of an empty lane forgotten',
    file: `${memory}/lanes.ts`,
    find: '      this.#heads.set(name(from, to), { ...head, trimmed: Math.max(head.trimmed, upTo) })\n',
    replace: `
      if (upTo === head.number) this.#heads.delete(name(from, to))
      else this.#heads.set(name(from, to), { ...head, trimmed: Math.max(head.trimmed, upTo) })
`,
    guarantee: 'G2',
    why: 'Nothing is in it, so nothing is kept of it; the next message has number 1 again.',
    store: 'shards',
  },
]
