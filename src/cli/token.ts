import { Command, InvalidArgumentError, Option } from 'commander'
import { ConfigError, readConfig } from '../app/config.ts'
import { tokenKeys, tokenSigner } from '../app/token-keys.ts'
import { parseGlobalId } from '../identity/index.ts'
import { print } from './command.ts'

interface TokenCommandOptions {
  readonly role: 'author' | 'admin'
  readonly user?: number
  readonly hours: number
  readonly json?: boolean
}

export const tokenCommand = new Command('token')
  .description('sign a bearer token with the first secret in AUTH_JWT_SECRET (or the demo secret)')
  .addOption(new Option('--role <role>', 'what it may do').choices(['author', 'admin']).makeOptionMandatory())
  .option(
    '--user <id>',
    "the user's global id, or the number in it; an admin needs none, and with one the user must be an admin too",
    parseUser,
  )
  .option('--hours <number>', 'how long it is valid; no longer than AUTH_MAX_TOKEN_AGE', parseHours, 24)
  .option('--json', 'print the result as JSON')
  .action(async ({ role, user: userId, hours, json }: TokenCommandOptions) => {
    const config = readConfig()
    const sign = tokenSigner(config, tokenKeys(config))
    if (role === 'author' && userId === undefined) throw new ConfigError("An author's token needs --user.")
    const token = await sign({ role, userId, expiresInSeconds: Math.round(hours * 3600) })
    print({ token }, { json, text: token })
  })

function parseUser(text: string): number {
  const id = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
  const parsed = id === undefined ? parseGlobalId(text) : { type: 'User', id }
  if (parsed?.type !== 'User') throw new InvalidArgumentError('It must be the id of a User.')
  return parsed.id
}

function parseHours(text: string): number {
  const hours = Number(text)
  if (!(hours > 0)) throw new InvalidArgumentError('It must be a number above 0.')
  return hours
}
