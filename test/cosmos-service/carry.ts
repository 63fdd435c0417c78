// carry.ts: takes a request through the service, in the time of a clock.
import type { ServiceRequest } from './exchange.ts'
import type { CosmosService, Served } from './service.ts'

/** What passes while nothing happens. */
export interface Clock {
  sleep(ms: number): Promise<void>
}

export const realClock: Clock = { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }

export async function carry(service: CosmosService, request: ServiceRequest, clock: Clock): Promise<Served> {
  const visit = service.accept(request)
  if (visit.delayMs > 0) await clock.sleep(visit.delayMs)
  const served = visit.serve()
  if (served.delayMs > 0) await clock.sleep(served.delayMs)
  return served
}
