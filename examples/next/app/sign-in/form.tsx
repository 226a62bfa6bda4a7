"use client";

import { useState, type FormEvent } from "react";

import { authClient } from "@/lib/auth-client";

export function SignIn() {
  const [isNew, setNew] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [name, email, password] = ["name", "email", "password"].map((field) => `${form.get(field)}`);
    const account = { email: email!, password: password! };
    setBusy(true);
    const { error } = isNew
      ? await authClient.signUp.email({ ...account, name: name! })
      : await authClient.signIn.email(account);
    if (!error) return location.assign("/client");
    setBusy(false);
    setProblem(error.message ?? "That did not work. Try again.");
  };

  return (
    <form className="card sign-in" onSubmit={submit}>
      <h1>{isNew ? "Create an account" : "Sign in"}</h1>
      {isNew && (
        <label>
          Name <input name="name" autoComplete="name" required />
        </label>
      )}
      <label>
        Email <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          minLength={8}
          autoComplete={isNew ? "new-password" : "current-password"}
          required
        />
      </label>
      {problem && <p role="alert">{problem}</p>}
      <button className="primary" disabled={busy}>
        {isNew ? "Create account" : "Sign in"}
      </button>
      <button type="button" className="quiet" onClick={() => setNew(!isNew)}>
        {isNew ? "I have an account" : "I am new here"}
      </button>
    </form>
  );
}
