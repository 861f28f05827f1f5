import { createServer, type Server } from "node:http";
import Provider from "oidc-provider";
import { free } from "./nginx.ts";

export const CLIENT = "cresset";
export const SECRET = "the-secret-of-the-client";

/**
 * An issuer of OpenID Connect that is another program's: `oidc-provider`, with pages where anybody logs in as whom they say. It
 * goes by another name than the server, so that what browsers make of other sites is tested too.
 */
export class Issuer {
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  /** One that sends people back to this server. */
  static async start(server: string): Promise<Issuer> {
    const port = await free();
    const url = `http://localhost:${port}`;
    const provider = new Provider(url, {
      clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [`${server}/login/oidc/callback`] }],
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      cookies: { keys: ["a key of the issuer's cookies"] },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: true }) }),
    });
    const listening = createServer(provider.callback());
    await new Promise<void>((resolve) => listening.listen(port, "localhost", resolve));
    return new Issuer(url, listening);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
