# steer_embed_schemas(OUT): an assembler file that carries every schema document and a table of them,
# so that the binary needs no file beside it. Only the assembler runs again when a document changes.
function(steer_embed_schemas OUT)
  file(GLOB documents CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/kinds/*.json ${CMAKE_CURRENT_SOURCE_DIR}/types/*.json)
  list(SORT documents)
  set(data "")
  set(table "")
  set(n 0)
  foreach(document IN LISTS documents ITEMS ${CMAKE_CURRENT_SOURCE_DIR}/served.json)
    get_filename_component(name ${document} NAME)
    string(APPEND data "steer_doc_${n}: .incbin \"${document}\"\nsteer_doc_${n}_end:\nsteer_name_${n}: .asciz \"${name}\"\n")
    string(APPEND table "  .quad steer_name_${n}, steer_doc_${n}, steer_doc_${n}_end - steer_doc_${n}\n")
    math(EXPR n "${n}+1")
  endforeach()
  file(CONFIGURE OUTPUT ${OUT} CONTENT "  .section .rodata.steer_schemas,\"a\"
${data}  .section .data.rel.ro.steer_schemas,\"aw\"
  .balign 8
  .globl steerSchemaDocuments
steerSchemaDocuments:
${table}  .globl steerSchemaDocumentCount
steerSchemaDocumentCount: .quad ${n}
  .section .note.GNU-stack,\"\",%progbits
" @ONLY)
  set_source_files_properties(${OUT} PROPERTIES GENERATED TRUE
    OBJECT_DEPENDS "${documents};${CMAKE_CURRENT_SOURCE_DIR}/served.json")
endfunction()
