/** The dashboard: where it listens, who may view and who may act. */
import { setting } from "../setting.ts";
import { list } from "../values/collections.ts";
import { onOff, oneOf, price, text, wholeNumber } from "../values/scalars.ts";
import { networkOf } from "../values/addresses.ts";
import { host, objectUrl } from "../values/urls.ts";

const group = "The dashboard";

export const WEB_AUTH = ["password", "proxy", "none"] as const;
export type WebAuth = (typeof WEB_AUTH)[number];

const headerName = () => text("a header's name", (value) => /^[a-z0-9-]+$/i.test(value));

export const webSettings = {
  webHost: setting({
    name: "WEB_HOST",
    group,
    type: host(),
    initial: "127.0.0.1",
    about: "The address the dashboard listens on.",
  }),
  webPort: setting({
    name: "WEB_PORT",
    group,
    type: wholeNumber(0, 65_535),
    initial: "3000",
    about: "Its port.",
  }),
  webAuth: setting({
    name: "WEB_AUTH",
    group,
    type: oneOf(WEB_AUTH),
    initial: "password",
    about:
      "`password`: one password; everyone who has it is an operator. `proxy`: a proxy in front authenticates users. `none`: everyone is an operator; only on a loopback address.",
  }),
  webPassword: setting({
    name: "WEB_PASSWORD",
    group,
    type: text(),
    secret: true,
    computed: "none; required with `password`",
    about: "The password.",
  }),
  webUserHeader: setting({
    name: "WEB_USER_HEADER",
    group,
    type: headerName(),
    initial: "x-forwarded-user",
    about: "With `proxy`: the header that names the user.",
  }),
  webGroupsHeader: setting({
    name: "WEB_GROUPS_HEADER",
    group,
    type: headerName(),
    initial: "x-forwarded-groups",
    about: "With `proxy`: the header that lists the user's groups, separated by commas.",
  }),
  webOperatorGroup: setting({
    name: "WEB_OPERATOR_GROUP",
    group,
    type: text(),
    computed: "none: nobody may act",
    about:
      "With `proxy`: members of this group may act, everyone else may only view. `*`: everyone the proxy admits may act.",
  }),
  webTrustedProxies: setting({
    name: "WEB_TRUSTED_PROXIES",
    group,
    type: list(
      "addresses or ranges separated by commas, such as 10.0.0.0/8",
      (entry) => networkOf(entry) !== undefined,
    ),
    initial: "",
    about: "Proxies whose `X-Forwarded-*` and user headers are trusted; required with `proxy`.",
  }),
  webReadOnly: setting({
    name: "WEB_READ_ONLY",
    group,
    type: onOff(),
    initial: "false",
    about: "Nobody may act through the dashboard; its API refuses too.",
  }),
  webEnvironment: setting({
    name: "WEB_ENVIRONMENT",
    group,
    type: text(),
    about: "A badge, such as `production`, that distinguishes browser tabs of different installations.",
  }),
  webStoragePrice: setting({
    name: "WEB_STORAGE_PRICE",
    group,
    type: price(),
    computed: "none: no cost is shown",
    about: "What the store charges for a GiB in a month: the dashboard shows what orphaned uploads cost.",
  }),
  webConsoleUrl: setting({
    name: "WEB_CONSOLE_URL",
    group,
    type: objectUrl(),
    computed: "none: no link",
    about:
      "A link from each stream to its object in the store's own console; `{bucket}` and `{key}` are replaced, percent-encoded. Example: `https://console.example.com/browse/{bucket}?key={key}`.",
  }),
};
