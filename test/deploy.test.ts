import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { readConfig } from '../src/app/config.ts'

interface Service {
  readonly image: string
  readonly command: readonly string[]
  readonly user: string
  readonly environment?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly [setting: string]: unknown
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}
const services = Object.entries(compose.services)

describe.each(services)('the container %s', (_name, service) => {
  it('can’t write to its image, gain rights or run as root', () => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      user: expect.stringMatching(/^(?!root|0\b)/),
      tmpfs: expect.arrayContaining(['/tmp']),
    })
    expect(service).not.toHaveProperty('privileged')
    expect(service).not.toHaveProperty('cap_add')
    for (const port of (service.ports ?? []) as string[]) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('finds its secrets in files alone', () => {
    for (const [name, value] of Object.entries(service.environment ?? {})) {
      if (/URL|PASSWORD|SECRET|TOKEN/.test(name)) expect(name).toMatch(/_FILE$/)
      if (name.endsWith('_FILE')) expect(service.secrets).toContain(value.replace('/run/secrets/', ''))
      expect(value).not.toMatch(/:\/\/.*:.*@/)
    }
  })
})

it('mounts only files that exist', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes).filter((volume) => volume.startsWith('./'))
  const secrets = Object.values(compose.secrets).map(({ file }) => secretPath(file))
  for (const path of [...mounted.map((volume) => volume.split(':')[0] ?? ''), ...secrets])
    expect([path, existsSync(path)]).toEqual([path, true])
})

it('lets only the migration act as the owner of the tables', () => {
  expect(compose.services.migrate?.command).toEqual(['migrate', '--grant-to', 'stet_node'])
  const owners = services.filter(([, { secrets = [] }]) => secrets.includes('owner_database_url'))
  expect(owners.map(([name]) => name)).toEqual(['migrate'])
})

it('has secrets for trying it out that fit each other, and that Stet takes', () => {
  const nodes = services.filter(([, { command }]) => command?.[0] === 'serve')
  for (const [, { environment = {} }] of nodes) {
    const files = Object.entries(environment).map(([name, value]) => [
      name,
      value.replace('/run/secrets/', 'deploy/secrets/'),
    ])
    expect(readConfig({ HOST: '0.0.0.0', ...Object.fromEntries(files) })).toMatchObject({
      databaseUrl: `postgres://stet_node:${secret('postgres_node_password')}@postgres/stet`,
    })
  }
  expect(nodes).toHaveLength(2)
  expect(secret('owner_database_url')).toContain(`stet_owner:${secret('postgres_owner_password')}@`)
  const hash = createHash('sha256')
    .update(new URL(secret('redis_url')).password)
    .digest('hex')
  expect(secret('redis_users.acl')).toContain(`user stet on #${hash} `)
})

it('makes an image whose process is not root', () => {
  const [user] = readFileSync('Dockerfile', 'utf8').match(/(?<=^USER )\S+$(?![\s\S]*^USER )/m) ?? []
  expect(user).toBe('1000:1000')
})

it('sends no secret to whoever builds the image', () => {
  expect(readFileSync('.dockerignore', 'utf8').split('\n')).toContain('deploy')
})

/** All packages, those of development marked. `--omit dev` would leave out what both need, such as graphql. */
it('lists every package in a bill of materials, and says which of them are for development alone', () => {
  const bom = JSON.parse(
    execFileSync('npm', ['run', '--silent', 'sbom'], { encoding: 'utf8', maxBuffer: 2 ** 26 }),
  ) as {
    readonly bomFormat: string
    readonly components: readonly { readonly name: string; readonly group?: string; readonly scope: string }[]
  }
  expect(bom.bomFormat).toBe('CycloneDX')
  const scopes = Object.fromEntries(
    bom.components.map(({ name, group, scope }) => [group ? `${group}/${name}` : name, scope]),
  )
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly dependencies: object }
  for (const name of Object.keys(dependencies)) expect([name, scopes[name]]).toEqual([name, 'required'])
  expect(scopes.jest).toBe('optional')
})

it('looks for known holes in what runs in production, in every run of the workflow', () => {
  expect(readFileSync('.github/workflows/ci.yml', 'utf8')).toContain('run: npm audit --omit=dev')
})

const secretPath = (file: string) => file.replace(/^\$\{\w+:-(.*)\}/, '$1')
const secret = (name: string) => readFileSync(`deploy/secrets/${name}`, 'utf8').trim()
