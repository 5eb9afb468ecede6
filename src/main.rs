use std::process::ExitCode;

fn main() -> ExitCode {
    deephedge::cli::main()
}
