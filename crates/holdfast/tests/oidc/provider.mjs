// An identity provider for tests: the real library, with people in memory and nobody to type anything.
//
// Its one argument is JSON: `modules` (the folder with its packages), `port`, `clients`. It prints `ready` when it listens.
// Whoever comes to sign in is the person that was last named with `PUT /test/person`, whose body is what is claimed of them;
// `sub` says who it is. Beyond that it is the library as it is, with its tokens, checks, sessions and messages.

import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'

const { modules, port, clients } = JSON.parse(process.argv[2])
const { Provider } = await import(pathToFileURL(`${modules}/node_modules/oidc-provider/lib/index.js`))

const people = new Map()
let next = ''

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients,
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username', 'locale'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  scopes: ['openid', 'profile', 'email', 'groups'],
  cookies: { keys: ['for tests only'] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
  },
  // The library keeps from addresses of the machine itself, where the server under test is.
  fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/test/interaction/${interaction.uid}` },
  findAccount: (_, id) => (people.has(id) ? { accountId: id, claims: () => people.get(id) } : undefined),
  // Nobody is asked whether the client may know this.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid profile email groups')
    await grant.save()
    return grant
  },
})

const body = async (request) => {
  const parts = []
  for await (const part of request) parts.push(part)
  return JSON.parse(Buffer.concat(parts))
}

const library = provider.callback()
const server = createServer(async (request, response) => {
  if (request.method === 'PUT' && request.url === '/test/person') {
    const claims = await body(request)
    next = claims.sub
    people.set(next, claims)
    response.writeHead(204).end()
  } else if (request.url.startsWith('/test/interaction/')) {
    await provider.interactionFinished(request, response, { login: { accountId: next } })
  } else {
    library(request, response)
  }
})
server.listen(port, '127.0.0.1', () => console.log('ready'))
