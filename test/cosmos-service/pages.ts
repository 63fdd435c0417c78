// pages.ts: how many items a page has (learn.microsoft.com/rest/api/cosmos-db/list-documents).
import { badRequest } from './exchange.ts'
import { limits } from './limits.ts'

/** @param header - `x-ms-max-item-count`: 1 to 1000, or -1 to leave it to the service. */
export function pageSize(header: string | undefined): number {
  if (header === undefined) return limits.defaultPageItems
  const count = Number(header)
  if (count === -1) return limits.pageItems
  if (!Number.isInteger(count) || count < 1) throw badRequest(`x-ms-max-item-count is ${header}.`)
  return Math.min(count, limits.pageItems)
}
