// A purchase with a client generated from the contract: openapi-typescript makes portal.d.ts and control.d.ts.
import createClient from "openapi-fetch";
import type { paths as Control } from "./control.js";
import type { paths as Portal } from "./portal.js";

const baseUrl = process.argv[2]!;
const control = createClient<Control>({ baseUrl });
const seeded = await control.POST("/_mock/seed", {
  body: {
    settleAfter: 2,
    organisations: [{ name: "Acme", balanceUsd: "142.5" }],
    people: [{ name: "Ada" }],
    tokens: [{ accessToken: "ada-token", lifetime: 3600, scope: "inference:invoke billing:manage" }],
    ids: { charge: ["ch_1"] },
  },
});
if (!seeded.data) throw new Error(JSON.stringify(seeded.error));

const portal = createClient<Portal>({ baseUrl, headers: { Authorization: "Bearer ada-token" } });
const accepted = await portal.POST("/api/billing/charge", {
  params: { header: { "Idempotency-Key": "order-1" } },
  body: { amountUsd: 50.25 },
});
if (!accepted.data) throw new Error(JSON.stringify(accepted.error));
await control.POST("/_mock/clock", { body: { advance: 2 } });
const status = await portal.GET("/api/billing/charge/{chargeId}", {
  params: { path: { chargeId: accepted.data.chargeId } },
});
const state = await portal.GET("/api/billing/state");
console.log(accepted.data.chargeId, status.data?.status, state.data?.balanceUsd);
