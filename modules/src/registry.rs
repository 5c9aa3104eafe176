//! Which module implements which type: the one table. A new type is a word in the list below;
//! the compiler asks for the [`Module`](crate::module::Module) that it names.

/// Runs an expression with the module of one specification, or with the modules of several
/// specifications that are all of one type.
macro_rules! dispatch {
    ($spec:expr, $module:ident => $body:expr) => {
        $crate::registry::dispatch!(@one $spec, $module => $body,
            [File Directory Symlink Package Service User Group Exec])
    };
    (all $specs:expr, $modules:ident => $body:expr) => {
        $crate::registry::dispatch!(@all $specs, $modules => $body,
            [File Directory Symlink Package Service User Group Exec])
    };
    (@one $spec:expr, $module:ident => $body:expr, [$($type:ident)+]) => {
        match $spec {
            $(holdfast_schemas::resource::Spec::$type($module) => $body,)+
        }
    };
    (@all $specs:expr, $modules:ident => $body:expr, [$($type:ident)+]) => {
        match $specs.first() {
            None => Vec::new(),
            $(Some(holdfast_schemas::resource::Spec::$type(_)) => {
                let $modules: Vec<&holdfast_schemas::resource::$type> =
                    $specs.iter().copied().filter_map(|spec| match spec {
                        holdfast_schemas::resource::Spec::$type(module) => Some(module),
                        _ => None,
                    }).collect();
                $body
            })+
        }
    };
}

pub(crate) use dispatch;
