/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "energy.h"

#include "base/system_files.h"

#include <stdio.h>
#include <string.h>

/* Sets *joules to the counter of a package. Returns false if it cannot be read. */
static bool read_joules(const char *root, const char *path, double *joules)
{
    double microjoules;
    if (!sysfile_number(root, path, NULL, &microjoules))
        return false;
    *joules = microjoules * 1e-6;
    return true;
}

void energy_open(energy_counters *e, const char *root)
{
    *e = (energy_counters){.missing = "this kernel shows no energy counters in "
                                      "/sys/class/powercap, as under most hypervisors"};
    /* Zones of packages are intel-rapl:0, intel-rapl:1, …, on AMD too; their parts have names like
     * intel-rapl:0:0. A zone "psys" is the whole platform and would count packages twice. */
    for (int zone = 0; zone < ENERGY_PACKAGES_MAX; zone++) {
        struct energy_package *p = &e->packages[e->n_packages];
        char path[128], name[64], why[sizeof e->missing];
        double range;
        snprintf(path, sizeof path, "/sys/class/powercap/intel-rapl:%d", zone);
        char file[160];
        snprintf(file, sizeof file, "%s/name", path);
        if (!sysfile_text(root, file, name, sizeof name) || strncmp(name, "package", 7) != 0)
            continue;
        snprintf(file, sizeof file, "%s/max_energy_range_uj", path);
        p->range_j = sysfile_number(root, file, NULL, &range) ? range * 1e-6 : 0.0;
        snprintf(p->path, sizeof p->path, "%s%s/energy_uj", root, path);
        char text[64];
        snprintf(file, sizeof file, "%s/energy_uj", path);
        if (sysfile_text(root, file, text, sizeof text)) {
            e->n_packages++;
            continue;
        }
        /* Since 2020 kernels show the counters to root only. */
        sysfile_text(root, file, why, sizeof why);
        snprintf(e->missing, sizeof e->missing, "%.160s; run as root", why);
        e->n_packages = 0;
        return;
    }
    if (e->n_packages > 0)
        e->missing[0] = '\0';
}

void energy_start(energy_counters *e)
{
    for (size_t i = 0; i < e->n_packages; i++)
        if (!read_joules("", e->packages[i].path, &e->packages[i].start_j))
            e->packages[i].start_j = -1.0;
}

double energy_stop(const energy_counters *e)
{
    double sum = 0.0;
    for (size_t i = 0; i < e->n_packages; i++) {
        const struct energy_package *p = &e->packages[i];
        double end_j;
        if (p->start_j < 0.0 || !read_joules("", p->path, &end_j))
            return -1.0;
        sum += end_j - p->start_j + (end_j < p->start_j ? p->range_j : 0.0);
    }
    return e->n_packages > 0 ? sum : -1.0;
}
