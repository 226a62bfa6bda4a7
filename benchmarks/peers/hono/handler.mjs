// The same API for Node's runtime: Hono, pg and jose, one statement for each operation.
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { createRemoteJWKSet, jwtVerify } from "jose";
import pg from "pg";

const { DATABASE_URL, JWKS_URL, JWT_ISSUER, JWT_AUDIENCE } = process.env;
const COLUMNS = "id, user_id, title, description, completed, created_at, updated_at, version";
const ONE = "WHERE user_id = $1 AND id = $2";
const LIST = `SELECT ${COLUMNS} FROM tasks WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 100`;
const CREATE = `INSERT INTO tasks (user_id, title, description, completed) VALUES ($1, $2, $3, $4) RETURNING ${COLUMNS}`;
const GET = `SELECT ${COLUMNS} FROM tasks ${ONE}`;
const UPDATE = `UPDATE tasks SET title = coalesce($3, title), description = coalesce($4, description),
  completed = coalesce($5, completed), version = version + 1, updated_at = now() ${ONE} RETURNING ${COLUMNS}`;
const TOGGLE = `UPDATE tasks SET completed = coalesce($3, NOT completed), version = version + 1,
  updated_at = now() ${ONE} RETURNING ${COLUMNS}`;
const DELETE = `DELETE FROM tasks ${ONE} RETURNING id`;

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
const client = new pg.Client({ connectionString: DATABASE_URL });
await client.connect();
const keys = createRemoteJWKSet(new URL(JWKS_URL));
const app = new Hono();

const rows = async (statement, ...parameters) => (await client.query(statement, parameters)).rows;

app.use("/api/:user/*", async (c, next) => {
  const token = (c.req.header("authorization") ?? "").replace("Bearer ", "");
  let claims;
  try {
    claims = (await jwtVerify(token, keys, { issuer: JWT_ISSUER, audience: JWT_AUDIENCE })).payload;
  } catch {
    return c.json({ detail: "no valid token" }, 401);
  }
  return claims.sub === c.req.param("user") ? next() : c.json({ detail: "another user's path" }, 403);
});

const found = (c, [task]) => (task ? c.json(task) : c.json({ detail: "no such task" }, 404));
const body = async (c) => JSON.parse((await c.req.text()) || "{}");
const named = (c) => [c.req.param("user"), c.req.param("id")];

app.get("/api/:user/tasks", async (c) => c.json(await rows(LIST, c.req.param("user"))));
app.post("/api/:user/tasks", async (c) => {
  const { title, description = null, completed = false } = await body(c);
  return c.json((await rows(CREATE, c.req.param("user"), title, description, completed))[0], 201);
});
app.get("/api/:user/tasks/:id", async (c) => found(c, await rows(GET, ...named(c))));
app.put("/api/:user/tasks/:id", async (c) => {
  const { title = null, description = null, completed = null } = await body(c);
  return found(c, await rows(UPDATE, ...named(c), title, description, completed));
});
app.patch("/api/:user/tasks/:id/complete", async (c) => {
  const { completed = null } = await body(c);
  return found(c, await rows(TOGGLE, ...named(c), completed));
});
app.delete("/api/:user/tasks/:id", async (c) => {
  const [task] = await rows(DELETE, ...named(c));
  return task ? c.body(null, 204) : c.json({ detail: "no such task" }, 404);
});

export const handler = handle(app);
