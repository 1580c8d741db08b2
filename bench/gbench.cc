// SPDX-License-Identifier: MIT
//
// The only C++ file of the project; see gbench.h.
#include "gbench.h"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct gbench_row {
    std::string name;
    std::string label;
    benchmark::internal::Benchmark *benchmark = nullptr;
    std::vector<std::pair<const char *, double>> counters;
};

namespace
{

std::vector<std::unique_ptr<gbench_row>> rows;

class collector : public benchmark::BenchmarkReporter
{
  public:
    explicit collector(gbench_sample *sample) : sample_(sample)
    {
    }

    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs) {
            if (run.run_type != Run::RT_Iteration)
                continue;
            if (run.error_occurred) {
                std::snprintf(sample_->error, sizeof sample_->error, "%s",
                              run.error_message.c_str());
                continue;
            }
            reported = true;
            sample_->iterations = static_cast<uint64_t>(run.iterations);
            sample_->real_ns = run.GetAdjustedRealTime();
            sample_->cpu_ns = run.GetAdjustedCPUTime();
            std::snprintf(sample_->label, sizeof sample_->label, "%s", run.report_label.c_str());
            for (size_t i = 0; i < sample_->n_counters; i++)
                sample_->counters[i].per_second = run.counters.at(sample_->counters[i].name).value;
        }
    }

    bool reported = false;

  private:
    gbench_sample *sample_;
};

void initialise()
{
    static bool done = false;
    if (done)
        return;
    done = true;
    // Arguments override the environment variables BENCHMARK_…, which could list the rows instead
    // of running them, write files, or change what a sample is.
    static std::string words[] = {"downhill",
                                  "--benchmark_list_tests=false",
                                  "--benchmark_enable_random_interleaving=false",
                                  "--benchmark_report_aggregates_only=false",
                                  "--benchmark_display_aggregates_only=false",
                                  "--benchmark_out=",
                                  "--benchmark_perf_counters="};
    std::vector<char *> arguments;
    for (std::string &word : words)
        arguments.push_back(word.data());
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
}

} // namespace

gbench_row *gbench_register(const char *name, gbench_function function, void *context)
try {
    initialise();
    rows.push_back(std::make_unique<gbench_row>());
    gbench_row *row = rows.back().get();
    row->name = name;
    row->benchmark = benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
        const auto iterations = state.max_iterations;
        while (state.KeepRunningBatch(iterations))
            function(context, static_cast<uint64_t>(iterations));
        state.SetLabel(row->label);
        for (const auto &[counter, per_iteration] : row->counters)
            state.counters[counter] =
                benchmark::Counter(per_iteration, benchmark::Counter::kIsIterationInvariantRate);
    });
    row->benchmark->Unit(benchmark::kNanosecond)->UseRealTime()->Repetitions(1);
    return row;
} catch (const std::bad_alloc &) {
    return nullptr;
}

void gbench_counter(gbench_row *row, const char *name, double per_iteration)
{
    if (row->counters.size() < GBENCH_COUNTERS_MAX)
        row->counters.emplace_back(name, per_iteration);
}

void gbench_label(gbench_row *row, const char *label)
{
    row->label = label;
}

int gbench_run(gbench_row *row, uint64_t iterations, gbench_sample *sample)
try {
    *sample = gbench_sample{};
    sample->n_counters = row->counters.size();
    for (size_t i = 0; i < row->counters.size(); i++)
        sample->counters[i].name = row->counters[i].first;
    row->benchmark->Iterations(static_cast<benchmark::IterationCount>(iterations));
    collector report(sample);
    // The library appends "/iterations:…" and "/real_time" to the name before it matches it.
    benchmark::RunSpecifiedBenchmarks(&report, "^" + row->name + "/iterations:");
    if (!report.reported && sample->error[0] == '\0')
        std::snprintf(sample->error, sizeof sample->error, "Google Benchmark did not run the row");
    return report.reported ? 0 : -1;
} catch (const std::exception &e) {
    std::snprintf(sample->error, sizeof sample->error, "%s", e.what());
    return -1;
}

void gbench_clear(void)
{
    benchmark::ClearRegisteredBenchmarks();
    rows.clear();
}

double gbench_cpu_mhz(void)
{
    return benchmark::CPUInfo::Get().cycles_per_second * 1e-6;
}

int gbench_cpu_scaling(void)
{
    switch (benchmark::CPUInfo::Get().scaling) {
    case benchmark::CPUInfo::ENABLED:
        return 1;
    case benchmark::CPUInfo::DISABLED:
        return 0;
    case benchmark::CPUInfo::UNKNOWN:
        break;
    }
    return -1;
}
