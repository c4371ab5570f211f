/** For each rule a line that it must find, and one that looks alike and is right. A rule without samples fails the suite. */
export const SAMPLES: Readonly<Record<string, { breaks: string; holds: string }>> = {
  "no-shell": {
    breaks: 'spawn("ls", [name], { stdio: "pipe", shell: true });',
    holds: 'spawn("ls", [name], { stdio: "pipe" });',
  },
  "no-code-from-text": { breaks: "new Function(text);", holds: "new Map(text);" },
  "no-markup-from-text": { breaks: "cell.innerHTML = name;", holds: "cell.textContent = name;" },
  "no-trust-of-any-certificate": {
    breaks: "connect({ host, rejectUnauthorized: false });",
    holds: "connect({ host, rejectUnauthorized: true });",
  },
  "no-guessable-secret": { breaks: "const token = Math.random();", holds: "const token = randomBytes(32);" },
  "no-secret-compared-early": {
    breaks: "if (given === settings.password) open();",
    holds: "if (settings.password === undefined) refuse();",
  },
  "no-raw-console": { breaks: "console.error(record.path);", holds: "log.error({ path }, words);" },
  "no-scan-of-every-key": { breaks: 'redis.keys("*");', holds: "Object.keys(record);" },
  "no-script-from-text": {
    breaks: "redis.eval(`return ${name}`, 0);",
    holds: "redis.eval(script, 1, name);",
  },
  "no-weak-digest": { breaks: 'createHash("sha1");', holds: 'createHash("sha256");' },
  "no-cookie-without-guard": {
    breaks: "cookies.set(name, value, { secure: true });",
    holds: "cookies.set(name, value, { secure: true, httpOnly: true });",
  },
};
