import { z } from 'zod';
import { fieldsOf, notesOf, unwrap } from './field.ts';
import { ENVIRONMENT, MAX_CONFIG_BYTES } from './layers.ts';
import { configSchema } from './schema.ts';

interface Row {
  readonly path: string;
  readonly kind: string;
  readonly fallback: string;
  readonly text: string;
}

/** The text of `docs/config.md`, made from the schema. */
export function configPage(): string {
  const sections: { title: string; intro: string; rows: Row[] }[] = [
    { title: 'Top level', intro: 'Settings outside any section.', rows: [] },
  ];
  for (const [name, schema] of Object.entries(fieldsOf(configSchema)!)) {
    const rows = rowsOf(name, schema);
    if (fieldsOf(schema) === undefined) sections[0]!.rows.push(...rows);
    else sections.push({ title: `\`${name}\``, intro: notesOf(schema)?.description ?? '', rows });
  }
  const parts = [INTRO];
  for (const { title, intro, rows } of sections) {
    parts.push(`## ${title}\n\n${intro}\n\n| key | value | default | meaning |\n|---|---|---|---|\n`);
    parts.push(
      rows.map((row) => `| \`${row.path}\` | ${row.kind} | ${row.fallback} | ${row.text} |\n`).join(''),
    );
    parts.push('\n');
  }
  return `${parts.join('').trimEnd()}\n`;
}

function rowsOf(path: string, schema: z.ZodType): Row[] {
  const fields = fieldsOf(schema);
  if (fields !== undefined) {
    return Object.entries(fields).flatMap(([name, field]) => rowsOf(`${path}.${name}`, field));
  }
  const note = notesOf(schema);
  const variable = Object.entries(ENVIRONMENT).find(([, keys]) => keys.join('.') === path)?.[0];
  const extras = [
    ...(note?.reload ? ['Applied on reload.'] : []),
    ...(variable === undefined ? [] : [`Environment: \`${variable}\`.`]),
  ];
  const own: Row = {
    path,
    kind: kindOf(schema),
    fallback: defaultOf(schema),
    text: [note?.description ?? '', ...extras].join(' ').trim(),
  };
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodArray)) return [own];
  const entry = fieldsOf(inner.element as z.ZodType);
  if (entry === undefined) return [own];
  return [own, ...Object.entries(entry).flatMap(([name, field]) => rowsOf(`${path}[].${name}`, field))];
}

function kindOf(schema: z.ZodType): string {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodNumber) {
    return `integer, ${inner.minValue ?? ''} to ${inner.maxValue ?? ''}`;
  }
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => `\`${option}\``).join(', ');
  if (inner instanceof z.ZodBoolean) return '`true`, `false`';
  if (inner instanceof z.ZodArray) return 'list';
  return 'text';
}

function defaultOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodDefault) return `\`${JSON.stringify(schema.def.defaultValue)}\``;
  return schema instanceof z.ZodOptional ? 'unset' : 'required';
}

const INTRO = `# Configuration

Settings come from four places; the first that has one wins:

1. flags of the command line: \`--http-port 8081\`, or for any key \`--set http.port=8081\`;
2. the environment: the variables named below, or for any key \`ONAIR__http__port=8081\` (names in any case, the value in YAML);
3. a YAML file: \`--config FILE\`, else \`ONAIR_CONFIG\`, else \`onair.yaml\` in the working folder if it is there;
4. the defaults below.

The file holds at most ${MAX_CONFIG_BYTES} bytes. Unknown keys are refused. Every fault names the path of the field, what was expected and what was received, with file and line. \`onair config check\` validates without starting.

A change of the file, or the signal SIGHUP, reloads it. Streams stay alive. Keys marked *Applied on reload* take effect at once, others at the next start; the log names both. If the new file is broken, the log tells why and the old settings stay in force.

`;
