mod support;
use support::*;
use emu::stop::Stop;

#[test]
fn look() {
    for (scenario, profile) in CASES {
        let case = case(scenario, profile, &[]);
        let (seed, ended) = first(&case, |e| matches!(e.stop, Stop::Bugcheck(_)));
        let told = told(&case, &ended.moves);
        println!("=== {scenario} {profile} seed {seed} {:x?}", ended.stop);
        for s in &told.report.why {
            println!("{} {} c{} {} {} | {} | {:?}", s.number, s.at, s.core, s.verb, s.what, s.place, s.note);
            if let Some((f, l)) = &s.place.source { println!("      {}", source_line(f, *l)); }
            for p in &s.stack { println!("        {p}"); }
        }
        for c in &told.report.cores { println!("core {} irql {} {}", c.core, c.irql, c.context); for p in &c.stack { println!("        {p}"); } }
    }
}
