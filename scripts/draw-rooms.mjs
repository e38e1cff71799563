// Draws the rooms of src into ARCHITECTURE.md, as test/architecture finds them. Run it with run-typescript.mjs.
import { readFileSync, writeFileSync } from 'node:fs'
import { withPictures } from '../test/architecture/pictures.ts'
import { readImports } from '../test/architecture/rooms.ts'

const document = new URL('../ARCHITECTURE.md', import.meta.url)
writeFileSync(document, withPictures(readFileSync(document, 'utf8'), readImports()))
