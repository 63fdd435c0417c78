// authorization.ts: who may ask (learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources).
// That a date is recent is not checked: a client on a virtual clock signs with the real one.
import { createHmac } from 'node:crypto'
import { notImplemented, Refusal, type ServiceRequest } from './exchange.ts'
import type { Routed } from './routes.ts'

/** What opens an account. */
export interface Keys {
  /** Base64, as in the portal. */
  readonly key: string
  /** Entra tokens that are let in. */
  readonly tokens: readonly string[]
}

export function authorize({ method, headers }: ServiceRequest, routed: Routed, { key, tokens }: Keys): void {
  const { authorization, 'x-ms-date': date } = headers
  if (authorization === undefined) throw unauthorized('The authorization header is missing.')
  const parts = decoded(authorization).split('&')
  const part = (name: string): string => parts.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
  switch (part('type')) {
    case 'master':
      if (date === undefined) throw unauthorized('The date that was signed is missing.')
      if (part('sig') !== signature(key, method, routed, date)) {
        throw unauthorized('The MAC signature found in the HTTP request is not the same as the computed signature.')
      }
      return
    case 'aad':
      if (!tokens.includes(part('sig'))) throw unauthorized('The token is not one of this account.')
      return
    case 'resource':
      throw notImplemented('resource tokens.')
    default:
      throw unauthorized('The authorization token is not of a known type.')
  }
}

function signature(key: string, method: string, { resourceType, resourceLink }: Routed, date: string): string {
  const text = `${method.toLowerCase()}\n${resourceType}\n${resourceLink}\n${date.toLowerCase()}\n\n`
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')
}

function decoded(header: string): string {
  try {
    return decodeURIComponent(header)
  } catch {
    return ''
  }
}

function unauthorized(text: string): Refusal {
  return new Refusal(401, text)
}
