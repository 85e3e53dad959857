import { buildProgram } from './program.ts';

// Not awaited at the top level, which a CommonJS bundle cannot hold: what goes wrong is an unhandled rejection either way.
void buildProgram().parseAsync(process.argv);
