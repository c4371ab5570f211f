/**
 * The checkout as it stands, in a temporary directory: patches go in there and nowhere else. Packages of the workspace
 * are the copy's own; packages of others are those of the checkout.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export class CheckoutCopy implements Disposable {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), "sluice-mutants-")));

  constructor(root: string) {
    const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: root,
      encoding: "utf8",
    });
    for (const file of files.split("\0").filter((name) => name !== "" && existsSync(join(root, name)))) {
      mkdirSync(dirname(join(this.directory, file)), { recursive: true });
      cpSync(join(root, file), join(this.directory, file), { verbatimSymlinks: true });
    }
    symlinkSync(join(root, "node_modules"), join(this.directory, "node_modules"));
    // Relative links: they lead to the copy's packages, and through the link above to everybody else's.
    for (const modules of globSync("{apps,packages,tests}/*/node_modules", { cwd: root })) {
      cpSync(join(root, modules), join(this.directory, modules), { recursive: true, verbatimSymlinks: true });
    }
  }

  apply(patch: string): void {
    execFileSync("git", ["apply", patch], { cwd: this.directory });
  }

  takeBack(patch: string): void {
    execFileSync("git", ["apply", "--reverse", patch], { cwd: this.directory });
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
