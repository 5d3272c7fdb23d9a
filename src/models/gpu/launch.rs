//! From a shader's text and tensors to a dispatch.

use std::fmt::{self, Debug, Formatter};
use std::hash::{Hash, Hasher};

use burn::backend::Cube;
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim, KernelId};
use burn_cubecl::cubecl::server::{KernelArguments, MetadataBindingInfo};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;

/// Functions that several shaders use.
const COMMON: &str = include_str!("common.wgsl");

/// Most workgroups in a row that every WebGPU device allows.
const MOST_GROUPS: u32 = 65_535;

/// A text in WGSL with `fn main`. It is known by its name: each launch asks for a compiled shader, and
/// comparing texts would take longer than finding it.
#[derive(Clone, Copy)]
pub(super) struct Body {
    /// No other has it.
    pub name: &'static str,
    /// The text.
    pub text: &'static str,
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The body of that name: the file beside this one, or the files one after the other.
macro_rules! body {
    ($name:literal $(, $before:literal)*) => {
        $crate::models::gpu::launch::Body {
            name: $name,
            text: concat!($(include_str!(concat!($before, ".wgsl")),)* include_str!(concat!($name, ".wgsl"))),
        }
    };
}
pub(super) use body;

/// A shader: constants, accessors and bindings are written in front of its body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shader {
    /// What it does.
    pub body: Body,
    /// Whole numbers that are known when it is compiled. A variant for each set of them.
    pub constants: Vec<(&'static str, u32)>,
    /// What it reads, and whether this variant has it: `fn <name>_at(index) -> f32` gives its values,
    /// or zeros.
    pub inputs: Vec<(&'static str, bool)>,
    /// Threads of a workgroup.
    pub threads: [u32; 2],
    /// How many numbers it is told at each launch, as `told(index)`.
    pub told: usize,
}

impl Shader {
    fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.constants {
            text += &format!("const {name} = {value}u;\n");
        }
        // A browser gives each tensor a buffer of its own. Natively they lie in one, which may be bound
        // for reading only or for writing, not both.
        let access = if cfg!(target_family = "wasm") {
            "read"
        } else {
            "read_write"
        };
        let mut binding = 0;
        let mut bind = |declaration: String| {
            let line = format!("@group(0) @binding({binding}) var<{declaration};\n");
            binding += 1;
            line
        };
        for (name, there) in &self.inputs {
            let value = if *there {
                text += &bind(format!("storage, {access}> {name}: array<f32>"));
                format!("{name}[index]")
            } else {
                "0.0".into()
            };
            text += &format!("fn {name}_at(index: u32) -> f32 {{ return {value}; }}\n");
        }
        text += &bind("storage, read_write> result: array<f32>".into());
        let rows = self.told.div_ceil(4);
        text += &bind(format!("uniform> told_rows: array<vec4<u32>, {rows}>"));
        text + COMMON + self.body.text
    }
}

impl KernelSource for Shader {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.text())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
            .info(self.clone())
            .cube_dim(dimension(self.threads).into())
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

fn dimension([x, y]: [u32; 2]) -> CubeDim {
    CubeDim::new_2d(x, y)
}

/// The tensor as its backend on the GPU holds it, one value after the other; `None` on another backend.
pub(super) fn on_gpu<const D: usize>(tensor: &Tensor<D>) -> Option<CubeTensor> {
    let tensor = tensor.clone().try_into_primitive::<Cube>().ok()?;
    (tensor.dtype == DType::F32).then(|| into_contiguous(tensor))
}

/// Runs a shader on `groups` workgroups, columns by rows. Columns beyond what a device allows in a row
/// go on in further layers: shaders take theirs from `column_of(group)`.
///
/// `inputs` are those that the shader has, in its order.
pub(super) fn launch<const D: usize>(
    shader: Shader,
    inputs: Vec<CubeTensor>,
    told: Vec<u32>,
    [columns, rows]: [usize; 2],
    shape: [usize; D],
) -> Tensor<D> {
    debug_assert_eq!(told.len(), shader.told);
    debug_assert_eq!(
        inputs.len(),
        shader.inputs.iter().filter(|(_, there)| *there).count()
    );
    let (client, device) = (inputs[0].client.clone(), inputs[0].device.clone());
    let shape = Shape::from(shape);
    let result = empty_device_contiguous_dtype(client.clone(), device, shape, DType::F32);
    let bound = inputs.into_iter().map(|input| input.handle.binding());
    let bound = bound.chain([result.handle.clone().binding()]).collect();
    let arguments = KernelArguments::new()
        .with_buffers(bound)
        .with_info(MetadataBindingInfo::custom(rows_of_four(told)));
    let columns = columns as u32;
    let layers = columns.div_ceil(MOST_GROUPS).max(1);
    let count = CubeCount::Static(columns.div_ceil(layers), rows as u32, layers);
    let dimension = dimension(shader.threads);
    client.launch(
        Box::new(SourceKernel::new(shader, dimension)),
        count,
        arguments,
    );
    Tensor::from_primitive::<Cube>(result)
}

/// Numbers of 32 bits as rows of four, two of them in each of 64.
fn rows_of_four(mut told: Vec<u32>) -> Vec<u64> {
    told.resize(told.len().next_multiple_of(4), 0);
    let pairs = told.chunks_exact(2);
    pairs
        .map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32)
        .collect()
}
