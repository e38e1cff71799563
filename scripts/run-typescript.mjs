// `node --import ./scripts/run-typescript.mjs file.ts`: Node 20 can't strip types by itself. swc does, as for the tests.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
