import "./globals.css";

import type { Metadata } from "next";
import type { ReactNode } from "react";

import { currentUser } from "@/lib/session";

import { Navigation } from "./navigation";

export const metadata: Metadata = {
  title: { default: "Tasks", template: "%s · Tasks" },
  description: "Three ways to call the Task API from Next.js",
};

export default async function Layout({ children }: { children: ReactNode }) {
  const user = await currentUser();
  return (
    <html lang="en">
      <body>
        {user && <Navigation name={user.name} />}
        <main>{children}</main>
      </body>
    </html>
  );
}
