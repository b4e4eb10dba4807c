/**
 * How to get a driver on this system, for the message that there is none.
 *
 *     Debian 12: "sudo apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1 (after adding bookworm-backports)"
 */
import { readFileSync } from "node:fs";

/** By `ID` of /etc/os-release; a line for each family of systems. */
const linuxAdvice: readonly { readonly systems: readonly string[]; readonly advice: string }[] = [
  {
    systems: ["debian 12"],
    advice:
      "add the suite bookworm-backports and run `sudo apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1` " +
      "(Debian 12's own Mesa is too old)",
  },
  {
    systems: ["debian", "ubuntu", "linuxmint", "pop"],
    advice: "run `sudo apt-get install mesa-vulkan-drivers libvulkan1`",
  },
  {
    systems: ["fedora", "rhel", "centos", "rocky", "almalinux"],
    advice: "run `sudo dnf install mesa-vulkan-drivers vulkan-loader`",
  },
  {
    systems: ["arch", "manjaro", "endeavouros"],
    advice: "run `sudo pacman -S vulkan-icd-loader vulkan-swrast`, or the driver of your GPU",
  },
  {
    systems: ["opensuse-leap", "opensuse-tumbleweed"],
    advice: "run `sudo zypper install libvulkan_lvp libvulkan1`",
  },
  { systems: ["alpine"], advice: "use a system with glibc: Dawn is built for it" },
];

/** What to do on this system to have an adapter. */
export function driverAdvice(platform: NodeJS.Platform = process.platform, release = osRelease()): string {
  switch (platform) {
    case "linux": {
      const system = release.get("ID") ?? "";
      const version = `${system} ${release.get("VERSION_ID") ?? ""}`.trim();
      const families = [version, system, ...(release.get("ID_LIKE") ?? "").split(" ")];
      const known = families.flatMap(
        (name) => linuxAdvice.find(({ systems }) => systems.includes(name)) ?? [],
      );
      const install =
        known[0]?.advice ?? "install your GPU's Vulkan driver, or Mesa's software driver lavapipe";
      return `for a GPU install its vendor's Vulkan driver; for a software driver ${install}`;
    }
    case "darwin":
      return "Metal is part of macOS: update to macOS 12 or newer, and run where a GPU is visible (not in a plain virtual machine)";
    case "win32":
      return "install your GPU's driver; Direct3D 12 is part of Windows 10 and newer";
    default:
      return "use Linux, macOS or Windows, for which Dawn is built";
  }
}

/** The fields of /etc/os-release; none where there is no such file. */
function osRelease(): ReadonlyMap<string, string> {
  try {
    return parseOsRelease(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return new Map();
  }
}

/** `ID=debian` and `VERSION_ID="12"`, a field a line. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = [...text.matchAll(/^(\w+)=(?:"([^"\n]*)"|(.*))$/gm)];
  return new Map(fields.map(([, name = "", quoted, plain]) => [name, quoted ?? plain ?? ""]));
}
