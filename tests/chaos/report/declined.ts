/** Rows of the catalogue that cannot be tried on the machines that run the tests: each needs hardware or a mount. */
export const DECLINED: Readonly<Record<string, string>> = {
  F17: "needs an overlay file system mounted by the kernel, which containers and CI runners may not do; what it would show, a path that leads to another inode than the open file, is tried under F8 and F9",
};

export const MOST_DECLINED = 10;
