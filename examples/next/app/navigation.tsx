"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

import { authClient } from "@/lib/auth-client";

const PAGES = { "/client": "Client", "/server": "Server", "/proxy": "Proxy" };

export function Navigation({ name }: { name: string }) {
  const here = usePathname();
  const signOut = async () => {
    await authClient.signOut();
    location.assign("/sign-in"); // a new document: nothing of this user stays in memory
  };
  return (
    <header>
      <nav aria-label="Pages">
        {Object.entries(PAGES).map(([path, title]) => (
          <Link key={path} href={path} aria-current={path === here ? "page" : undefined}>
            {title}
          </Link>
        ))}
      </nav>
      <span className="user">{name}</span>
      <button className="quiet" onClick={signOut}>
        Sign out
      </button>
    </header>
  );
}
