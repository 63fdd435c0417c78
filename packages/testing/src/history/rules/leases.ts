// leases.ts: G5. After a shard was acquired under a newer epoch, nothing of an older one is committed or accepted.
import type { Books } from '../books.ts'
import type { Happened } from '../event.ts'
import type { Report, Rule } from '../rule.ts'

/** See the file head. */
export class Leases implements Rule {
  see(event: Happened, books: Books, report: Report): void {
    if (event.event === 'acquired') {
      for (const { shard, epoch } of event.acquired.leases) {
        const before = books.epochs.get(shard) ?? 0
        if (epoch > before) continue
        report('G5', `Shard ${shard} was acquired under epoch ${epoch}; it had ${before} already.`)
      }
    }
    if (event.event !== 'written') return
    const { accepted, commits } = books.effective(event.group, event.result)
    for (const { id, to, lease } of accepted) {
      if (lease === undefined || lease.epoch === books.epochs.get(lease.shard)) continue
      const current = books.epochs.get(lease.shard) ?? 'none'
      const what = `${id} for ${to} was accepted under epoch ${lease.epoch}; shard ${lease.shard} is at ${current}.`
      report('G5', what, { messages: [id], entities: [to] })
    }
    for (const { lease, entity } of commits) {
      const current = books.epochs.get(lease.shard)
      if (lease.epoch === current) continue
      const what = `A commit of ${entity} under epoch ${lease.epoch} succeeded; shard ${lease.shard} is at ${current ?? 'none'}.`
      report('G5', what, { entities: [entity] })
    }
  }
}
