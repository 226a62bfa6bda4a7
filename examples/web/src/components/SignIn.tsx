import { useState, type FormEvent } from "react";

import { auth } from "../auth.ts";
import { tellOtherTabs } from "../session.ts";
import { Field } from "./Field.tsx";
import { Logo } from "./icons.tsx";

interface Props {
  /** Whether a session has ended by itself. */
  ended: boolean;
  /** Called when somebody is signed in. */
  onDone: () => Promise<void>;
}

/** A form to sign in, or to create an account. */
export function SignIn({ ended, onDone }: Props) {
  const [isNew, setNew] = useState(false);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string>();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (pending) return;
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name));
    const account = { email: text("email"), password: text("password") };
    setPending(true);
    setProblem(undefined);
    try {
      const { error } = isNew
        ? await auth.signUp.email({ ...account, name: text("name") })
        : await auth.signIn.email(account);
      if (error) setProblem(error.message ?? `The server answered with ${error.status}.`);
      else await onDone();
      tellOtherTabs();
    } catch {
      setProblem(navigator.onLine ? "The server cannot be reached." : "You are offline.");
    }
    setPending(false);
  };

  const toggle = () => {
    setNew(!isNew);
    setProblem(undefined);
  };

  return (
    <main className="sign-in">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <Logo />
        <h1>Tasks</h1>
        <p className="lead">{isNew ? "A place for what you have to do." : "Welcome back."}</p>
        {ended && (
          <p role="status" className="notice">
            Your session has ended. Sign in again to go on where you were.
          </p>
        )}
        {isNew && (
          <Field label="Name">
            {(control) => (
              <input {...control} name="name" autoComplete="name" required maxLength={100} />
            )}
          </Field>
        )}
        <Field label="Email">
          {(control) => (
            <input
              {...control}
              name="email"
              type="email"
              autoComplete="username"
              required
              autoFocus
            />
          )}
        </Field>
        <Field label="Password" hint={isNew ? "At least 8 characters" : undefined}>
          {(control) => (
            <input
              {...control}
              name="password"
              type="password"
              autoComplete={isNew ? "new-password" : "current-password"}
              required
              minLength={isNew ? 8 : undefined}
            />
          )}
        </Field>
        {problem && (
          <p role="alert" className="alert">
            {problem}
          </p>
        )}
        <button type="submit" className="primary" aria-disabled={pending}>
          {isNew ? "Create account" : "Sign in"}
        </button>
        <button type="button" className="quiet" onClick={toggle}>
          {isNew ? "Sign in instead" : "Create an account instead"}
        </button>
      </form>
    </main>
  );
}
