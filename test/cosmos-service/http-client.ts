// http-client.ts: the service for `CosmosClientOptions.httpClient`: in the process, on whatever clock there is.
// The client's own timers (its timeout, its waits after a 429) stay on the real clock.
import type { CosmosClientOptions } from '@azure/cosmos'
import { type Clock, carry, realClock } from './carry.ts'
import type { ServiceRequest } from './exchange.ts'
import type { CosmosService } from './service.ts'

type HttpClient = NonNullable<CosmosClientOptions['httpClient']>
type PipelineRequest = Parameters<HttpClient['sendRequest']>[0]
type PipelineResponse = Awaited<ReturnType<HttpClient['sendRequest']>>

/** See {@link httpClient}. */
export interface HttpClientOptions {
  /** Default: the real one. */
  readonly clock?: Clock
  /** How long one way takes; default: no time. */
  latencyMs?(): number
}

export function httpClient(
  service: CosmosService,
  { clock = realClock, latencyMs }: HttpClientOptions = {},
): HttpClient {
  return {
    async sendRequest(request: PipelineRequest): Promise<PipelineResponse> {
      const way = async (): Promise<void> => {
        const ms = latencyMs?.() ?? 0
        if (ms > 0) await clock.sleep(ms)
      }
      const journey = async (): Promise<PipelineResponse> => {
        await way()
        const served = await carry(service, requestOf(request, service), clock)
        if (served.fate === 'silence') return await new Promise(() => undefined)
        await way()
        if (served.fate === 'connection broken') throw broken()
        return responseOf(request, served.response)
      }
      return await untilAborted(request, journey)
    },
  }
}

/** The region whose endpoint a host name is. */
function regionOf(host: string, { settings: { regions } }: CosmosService): string | undefined {
  return regions.find((region) => host.includes(`-${region.toLowerCase().replaceAll(' ', '')}.`))
}

function requestOf(request: PipelineRequest, service: CosmosService): ServiceRequest {
  const { pathname, search, host } = new URL(request.url)
  const { body = null } = request
  if (body !== null && typeof body !== 'string') throw new TypeError('Only bodies of text are carried.')
  const region = regionOf(host, service)
  return {
    method: request.method,
    path: pathname + search,
    headers: request.headers.toJSON(),
    body: body ?? '',
    ...(region === undefined ? {} : { region }),
  }
}

function responseOf(
  request: PipelineRequest,
  { status, headers, body }: { status: number; headers: Readonly<Record<string, string>>; body: string },
): PipelineResponse {
  return { request, status, headers: new Headers(headers), bodyAsText: body }
}

/** As Node's client says it when a connection ends too early. */
function broken(): Error {
  return Object.assign(new Error('socket hang up'), { name: 'RestError', code: 'ECONNRESET' })
}

async function untilAborted<T>({ abortSignal }: PipelineRequest, journey: () => Promise<T>): Promise<T> {
  const aborted = (): Error => Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' })
  if (abortSignal === undefined) return await journey()
  if (abortSignal.aborted) throw aborted()
  return await new Promise<T>((resolve, reject) => {
    const listener = (): void => reject(aborted())
    abortSignal.addEventListener('abort', listener)
    journey()
      .then(resolve, reject)
      .finally(() => abortSignal.removeEventListener('abort', listener))
  })
}

class Headers {
  readonly #values: Map<string, string>

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = new Map(Object.entries(values))
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase())
  }

  set(name: string, value: string | number | boolean): void {
    this.#values.set(name.toLowerCase(), String(value))
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase())
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#values)
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#values.entries()
  }
}
