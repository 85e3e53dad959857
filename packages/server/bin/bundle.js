// Runs the server's bundle with V8's compiled code from an earlier run: reading and compiling the sources anew is most
// of what a start costs. Node's own cache (module.enableCompileCache) begins with Node 22.
const { readFileSync, renameSync, rmSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');
const { Script } = require('node:vm');

/** Code kept beside its source; V8 refuses it when it comes from another version of itself or of the source. */
const cacheOf = (path) => `${path}.code`;

function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Runs `entry` and the files of its folder that it asks for; everything else is found as Node finds it. */
exports.runBundle = function runBundle(entry) {
  const nodeRequire = createRequire(entry);
  const modules = new Map();
  /** Scripts whose code is not kept yet. */
  const uncached = new Map();

  const load = (path) => {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const cachedData = read(cacheOf(path));
    // Each file is one function of what CommonJS gives a module, and all ASCII (scripts/bundle.mjs).
    const script = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData });
    if (cachedData === undefined || script.cachedDataRejected) uncached.set(path, script);
    const folder = dirname(path);
    const require = (id) => (id.startsWith('./') ? load(join(folder, id)) : nodeRequire(id));
    script.runInThisContext().call(module.exports, module.exports, require, module, path, folder);
    return module.exports;
  };

  // At the end most of what a start needs has been compiled; a folder that cannot be written costs the gain alone.
  process.once('exit', () => {
    for (const [path, script] of uncached) {
      // Written under a name of its own first: another start may be reading.
      const fresh = `${cacheOf(path)}.${process.pid}`;
      try {
        writeFileSync(fresh, script.createCachedData());
        renameSync(fresh, cacheOf(path));
      } catch {
        rmSync(fresh, { force: true });
        return;
      }
    }
  });
  load(entry);
};
